//! Commands carried out, or refused with the reason.

use std::time::Duration;

use roomd_room::{Action, Now};
use serde_json::{Value, json};

use super::{
    Appliance, ApplianceOutput, ChangedBy, Command, CommandError, ErrorCode, RequestId,
    outcomes::{self, Outcome, Pending},
};

/// How long a box shows which one it is.
const IDENTIFY: Duration = Duration::from_secs(10);

impl Appliance {
    pub(super) fn reply(&mut self, id: RequestId, result: Result<Value, CommandError>) {
        self.outputs.push(ApplianceOutput::Reply { id, result });
    }

    pub(super) fn expect(&mut self, now: Now, id: RequestId, by: ChangedBy, outcome: Outcome) {
        let deadline = now.instant + outcome.patience(self.settings.join_timeout);
        self.pending.push(Pending {
            id,
            outcome,
            by,
            deadline,
        });
    }

    pub(super) fn command(&mut self, now: Now, id: RequestId, command: Command, by: ChangedBy) {
        let result = match self.as_answer(command, &by) {
            Command::JoinRoom(join) => self
                .join_by_command(now, &join)
                .map(|()| Some(Outcome::Joined)),
            Command::Room(action) => self.room_command(now, action),
            Command::AnswerRequest { request_id, accept } => {
                self.answer_request(now, &request_id, accept, by.clone())
            }
            Command::AnswerFirstRequest { accept } => match self.first_request(None) {
                Some(request) => self.answer_request(now, &request, accept, by.clone()),
                None => Err(CommandError::new(
                    ErrorCode::NotFound,
                    "nobody asks the box for anything now",
                    "see state/requests for what is asked",
                )),
            },
            Command::ChangeVolume(by) => {
                self.volume = self.volume.saturating_add_signed(by).min(100);
                self.set_speaker();
                Ok(None)
            }
            Command::SetVolume(volume) if volume > 100 => Err(CommandError::new(
                ErrorCode::InvalidPayload,
                format!("level is {volume}, allowed are 0 to 100"),
                "send a level from 0 to 100",
            )
            .in_field("level")),
            Command::SetVolume(volume) => {
                self.volume = volume;
                self.set_speaker();
                Ok(None)
            }
            Command::Identify => {
                self.identify_until = Some(now.instant + IDENTIFY);
                Ok(None)
            }
            Command::MuteSpeaker(muted) => {
                self.speaker_muted = muted;
                self.set_speaker();
                Ok(None)
            }
        };
        match result {
            Ok(Some(outcome)) => self.expect(now, id, by, outcome),
            Ok(None) => self.reply(id, Ok(json!({}))),
            Err(error) => self.reply(id, Err(error)),
        }
    }

    pub(super) fn room_command(
        &mut self,
        now: Now,
        action: Action,
    ) -> Result<Option<Outcome>, CommandError> {
        let outcome = Outcome::of(&action, self.room.state());
        let before = self.outputs.len();
        self.act(now, action.clone())?;
        let outcome = outcome.or_else(|| outcomes::breakout(&self.outputs[before..]));
        self.chosen(&action);
        Ok(outcome)
    }

    pub(super) fn set_speaker(&mut self) {
        self.outputs.push(ApplianceOutput::Speaker {
            volume: self.volume,
            muted: self.speaker_muted,
        });
    }
}
