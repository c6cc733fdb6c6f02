//! A witness outside roomd: packets on the loopback interface, as tcpdump sees them with the kernel's
//! times. RTP headers are not encrypted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncRead, AsyncReadExt, BufReader},
    process::Command,
    sync::mpsc,
    task::JoinHandle,
};

use super::program::Program;

/// Bytes of each packet that are kept: Ethernet, IP and UDP headers and the beginning of RTP.
const KEPT: usize = 96;

/// An RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RtpPacket {
    /// When the kernel saw it.
    pub(super) at: SystemTime,
    /// Its payload type.
    pub(super) payload_type: u8,
    /// Its stream.
    pub(super) ssrc: u32,
}

/// A running capture.
pub(super) struct Witness {
    program: Program,
    packets: mpsc::UnboundedReceiver<RtpPacket>,
    task: JoinHandle<()>,
}

impl Witness {
    /// Starts tcpdump.
    ///
    /// # Errors
    /// When it is missing or may not look.
    pub(super) async fn start(folder: &std::path::Path) -> anyhow::Result<Self> {
        let snaplen = KEPT.to_string();
        let mut command = Command::new("tcpdump");
        command.args([
            "-i",
            "lo",
            "-s",
            &snaplen,
            "-U",
            "--immediate-mode",
            "-w",
            "-",
            "udp",
        ]);
        // Debian keeps it in a directory that is not everybody's.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        let mut program = Program::start("tcpdump", folder, &mut command).context(
            "packets are watched with tcpdump: install it (on Debian: apt install tcpdump) and run as root",
        )?;
        let output = program.take_output().context("tcpdump has no output")?;
        let mut input = BufReader::new(output);
        // It begins once it looks.
        let order = match read_header(&mut input).await {
            Ok(order) => order,
            Err(error) => bail!(
                "tcpdump does not start ({error}); it must be run as root:\n{}",
                program.tail()
            ),
        };
        let (tell, packets) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((at, bytes)) = read_packet(&mut input, order).await {
                if let Some((payload_type, ssrc)) = rtp(&bytes) {
                    let packet = RtpPacket {
                        at,
                        payload_type,
                        ssrc,
                    };
                    if tell.send(packet).is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Self {
            program,
            packets,
            task,
        })
    }

    /// The next packet.
    pub(super) async fn next(&mut self) -> anyhow::Result<RtpPacket> {
        match self.packets.recv().await {
            Some(packet) => Ok(packet),
            None => bail!("tcpdump has ended:\n{}", self.program.tail()),
        }
    }

    /// Ends the capture.
    ///
    /// # Errors
    /// When packets were lost.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let log = self.program.log_path();
        self.program.stop().await?;
        self.task.abort();
        let said = std::fs::read_to_string(log)?;
        let lost = said
            .lines()
            .find_map(|line| line.strip_suffix(" packets dropped by kernel"))
            .context("tcpdump does not say whether packets were lost")?;
        if lost != "0" {
            bail!("tcpdump has lost {lost} packets");
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
struct ByteOrder {
    is_little: bool,
}

impl ByteOrder {
    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.is_little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        }
    }
}

/// The file header of pcap with microseconds and Ethernet frames.
async fn read_header(input: &mut (impl AsyncRead + Unpin)) -> anyhow::Result<ByteOrder> {
    let mut header = [0; 24];
    input.read_exact(&mut header).await?;
    let order = match header[..4] {
        [0xd4, 0xc3, 0xb2, 0xa1] => ByteOrder { is_little: true },
        [0xa1, 0xb2, 0xc3, 0xd4] => ByteOrder { is_little: false },
        _ => bail!("its output is no pcap with microseconds"),
    };
    let link = order.u32([header[20], header[21], header[22], header[23]]);
    if link != 1 {
        bail!("its link type is {link}, not Ethernet");
    }
    Ok(order)
}

async fn read_packet(
    input: &mut (impl AsyncRead + Unpin),
    order: ByteOrder,
) -> anyhow::Result<(SystemTime, Vec<u8>)> {
    let mut header = [[0; 4]; 4];
    for field in &mut header {
        input.read_exact(field).await?;
    }
    let [seconds, micros, length, _] = header.map(|field| order.u32(field));
    if length as usize > KEPT {
        bail!("a packet of {length} bytes although {KEPT} were asked for");
    }
    let mut bytes = vec![0; length as usize];
    input.read_exact(&mut bytes).await?;
    let at =
        UNIX_EPOCH + Duration::from_secs(seconds.into()) + Duration::from_micros(micros.into());
    Ok((at, bytes))
}

/// Payload type and stream of an Ethernet frame with RTP over UDP; `None` for anything else.
fn rtp(frame: &[u8]) -> Option<(u8, u32)> {
    let udp = match frame.get(12..14)? {
        [0x08, 0x00] => {
            let words = usize::from(frame.get(14)? & 0x0f);
            (*frame.get(23)? == 17).then_some(14 + words * 4)?
        }
        // Without extension headers, which loopback does not have.
        [0x86, 0xdd] => (*frame.get(20)? == 17).then_some(54)?,
        _ => return None,
    };
    let rtp = frame.get(udp + 8..)?;
    let [first, second] = *rtp.first_chunk::<2>()?;
    // Version 2, and not RTCP, whose packet types 192 to 223 stand in the same place (RFC 5761 §4).
    if first >> 6 != 2 || (192..=223).contains(&second) {
        return None;
    }
    let ssrc = rtp.get(8..12)?.try_into().ok()?;
    Some((second & 0x7f, u32::from_be_bytes(ssrc)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00, 0x45]);
        frame.extend([0; 8]);
        frame.push(17);
        frame.extend([0; 10]);
        frame.extend([0; 8]);
        frame.extend(payload);
        frame
    }

    const OPUS: [u8; 12] = [0x90, 0x6f, 0, 1, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef];

    #[test]
    fn an_rtp_packet_is_told_by_payload_type_and_stream() {
        assert_eq!(rtp(&frame(&OPUS)), Some((111, 0xdead_beef)));
        let mut marked = OPUS;
        marked[1] = 0xef;
        assert_eq!(rtp(&frame(&marked)), Some((111, 0xdead_beef)));
    }

    #[test]
    fn rtcp_stun_dtls_and_other_protocols_are_not_rtp() {
        for (first, second) in [(0x80, 200), (0x81, 206), (0x00, 0x01), (0x16, 0xfe)] {
            let mut packet = OPUS;
            packet[..2].copy_from_slice(&[first, second]);
            assert_eq!(rtp(&frame(&packet)), None, "{first:x} {second}");
        }
        let mut tcp = frame(&OPUS);
        tcp[23] = 6;
        assert_eq!(rtp(&tcp), None);
    }

    #[tokio::test]
    async fn a_capture_is_read_with_its_times() {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1];
        file.extend([0; 16]);
        file.extend(1u32.to_le_bytes());
        let packet = frame(&OPUS);
        for field in [1_700_000_000, 250_000, packet.len() as u32, 400] {
            file.extend(field.to_le_bytes());
        }
        file.extend(&packet);
        let mut input = file.as_slice();
        let order = read_header(&mut input).await.unwrap();
        let (at, bytes) = read_packet(&mut input, order).await.unwrap();
        assert_eq!(at, UNIX_EPOCH + Duration::from_millis(1_700_000_000_250));
        assert_eq!(bytes, packet);
        assert!(read_packet(&mut input, order).await.is_err());
    }

    proptest! {
        #[test]
        fn nothing_on_the_wire_makes_it_fall(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = rtp(&bytes);
            let _ = rtp(&frame(&bytes));
        }
    }
}
