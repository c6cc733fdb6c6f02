//! Token buckets, pure.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

/// How many addresses are remembered before those that are idle are forgotten.
const ADDRESSES: usize = 10_000;

/// Whom an address stands for. Of IPv6 everybody has a network of 64 bits to choose addresses from.
pub(crate) fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(network).into()
        }
    }
}

/// Allows so many per second on average, and a burst.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    burst: f64,
    per_second: f64,
    last: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(now: Instant, per_second: f64, burst: u32) -> Self {
        Self {
            tokens: f64::from(burst),
            burst: f64::from(burst),
            per_second,
            last: now,
        }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.last).as_secs_f64();
        self.last = now;
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        let is_allowed = self.tokens >= 1.0;
        if is_allowed {
            self.tokens -= 1.0;
        }
        is_allowed
    }

    fn is_full_at(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.last).as_secs_f64();
        self.tokens + passed * self.per_second >= self.burst
    }
}

/// One bucket per address.
pub(crate) struct PerAddress {
    per_minute: u32,
    buckets: HashMap<IpAddr, Bucket>,
}

impl PerAddress {
    /// So many per minute for each address, all of them at once if need be.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            buckets: HashMap::new(),
        }
    }

    /// Takes one for that address.
    pub(crate) fn take(&mut self, now: Instant, address: IpAddr) -> bool {
        if self.buckets.len() >= ADDRESSES {
            self.buckets.retain(|_, bucket| !bucket.is_full_at(now));
        }
        let per_second = f64::from(self.per_minute) / 60.0;
        let fresh = Bucket::new(now, per_second, self.per_minute);
        self.buckets.entry(address).or_insert(fresh).take(now)
    }

    /// How long until the next one.
    pub(crate) fn pause(&self) -> Duration {
        Duration::from_secs(u64::from(60_u32.div_ceil(self.per_minute).max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start, 100.0, 500);
        assert_eq!((0..1000).filter(|_| bucket.take(start)).count(), 500);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..1000).filter(|_| bucket.take(later)).count(), 100);
    }

    #[test]
    fn all_addresses_of_one_network_of_ipv6_are_one_peer() {
        let of = |text: &str| peer(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn addresses_do_not_use_up_each_others_tokens() {
        let now = Instant::now();
        let mut rate = PerAddress::new(2);
        let [a, b] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        assert!(rate.take(now, a) && rate.take(now, a) && !rate.take(now, a));
        assert!(rate.take(now, b));
        assert!(rate.take(now + rate.pause(), a));
    }
}
