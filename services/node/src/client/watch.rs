//! A watch that goes on: frames as they come, and when the node goes away, on from the last token, at any node behind the address.

use std::time::Duration;

use futures_util::stream;
use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};
use tokio::time::sleep;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::schema::{from_json, method, to_json};
use super::{Client, problem};
use crate::cli::exit::Failure;
use crate::limits;
use crate::output::cell::seconds;

/// A stream that is begun again by itself.
#[derive(Debug)]
pub(crate) struct Watch {
    client: Client,
    method: MethodDescriptor,
    request: Value,
    token: String,
    /// Attempts since the last frame.
    attempts: u32,
}

/// How one stream ended.
enum Ended {
    /// Go on from the token, after this long if the node said so.
    Resume { pause: Option<Duration>, cause: String },
    /// The token is of no use any more.
    Anew,
}

impl Watch {
    pub(crate) fn new(client: Client, name: &str, request: Value) -> Result<Self, Failure> {
        let method = method(name)?;
        from_json(method.input(), request.clone())?;
        Ok(Self { client, method, request, token: String::new(), attempts: 0 })
    }

    /// Hands every frame to `show` until it fails, the server refuses, or it stays away; `say` is told of every break. Never returns
    /// without a failure.
    pub(crate) async fn run(
        &mut self,
        mut show: impl FnMut(Value) -> Result<(), Failure>,
        say: impl Fn(&str),
    ) -> Failure {
        loop {
            let (pause, words) = match self.one(&mut show).await {
                Ok(Ended::Anew) => {
                    self.token.clear();
                    (limits::RESUME_FIRST, "what it stopped at is no longer kept; beginning anew".to_owned())
                }
                Ok(Ended::Resume { pause, cause }) => {
                    let pause = pause.unwrap_or_else(|| back_off(self.attempts));
                    let words = format!("{cause}; on from where it stopped in {} ms", pause.as_millis());
                    (pause, words)
                }
                Err(failure) => return failure,
            };
            say(&format!("{}: {words}", self.client.address()));
            self.attempts += 1;
            sleep(pause).await;
        }
    }

    /// One stream from its beginning to its end.
    async fn one(&mut self, show: &mut impl FnMut(Value) -> Result<(), Failure>) -> Result<Ended, Failure> {
        let mut request = self.request.clone();
        if !self.token.is_empty() {
            request["watch"]["resume_token"] = json!(self.token);
        }
        let request = from_json(self.method.input(), request)?;
        let mut frames = match self.client.stream(&self.method, stream::iter([request])).await {
            Ok(frames) => frames,
            Err(status) => return self.ended(&status, None),
        };
        let mut pause = None;
        loop {
            match frames.message().await {
                Ok(Some(frame)) => {
                    let frame = to_json(&frame);
                    self.attempts = 0;
                    if let Some(token) =
                        frame["frame"]["resumeToken"].as_str().filter(|token| !token.is_empty())
                    {
                        token.clone_into(&mut self.token);
                    }
                    pause = frame["frame"]["retryAfter"].as_str().and_then(self::pause);
                    show(frame)?;
                }
                Ok(None) => return Ok(Ended::Resume { pause, cause: "the stream ended".to_owned() }),
                Err(status) => return self.ended(&status, pause),
            }
        }
    }

    /// Whether a status is worth another attempt.
    fn ended(&self, status: &Status, pause: Option<Duration>) -> Result<Ended, Failure> {
        let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        match (status.code(), reason.as_str()) {
            (_, "RESUME_TOKEN_EXPIRED" | "RESUME_TOKEN_MISMATCH") if !self.token.is_empty() => {
                Ok(Ended::Anew)
            }
            (Code::Unavailable | Code::ResourceExhausted, _) | (_, "SUBSCRIBER_TOO_SLOW") => {
                self.again(status, pause)
            }
            // A connection that broke off.
            (Code::Unknown | Code::Cancelled | Code::Internal, "") if !self.token.is_empty() => {
                self.again(status, pause)
            }
            _ => Err(self.client.failure(status)),
        }
    }

    fn again(&self, status: &Status, pause: Option<Duration>) -> Result<Ended, Failure> {
        if self.attempts >= limits::RESUME_ATTEMPTS {
            return Err(self.client.failure(status));
        }
        let told = status.get_details_retry_info().and_then(|info| info.retry_delay);
        Ok(Ended::Resume { pause: pause.or(told), cause: problem::cause(status) })
    }
}

/// Doubles from the first pause to the longest.
fn back_off(attempts: u32) -> Duration {
    limits::RESUME_FIRST.saturating_mul(1 << attempts.min(10)).min(limits::RESUME_LONGEST)
}

/// How long a frame asks to wait.
fn pause(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_bound() {
        assert_eq!(back_off(0), limits::RESUME_FIRST);
        assert_eq!(back_off(1), limits::RESUME_FIRST * 2);
        assert_eq!(back_off(60), limits::RESUME_LONGEST);
    }

    #[test]
    fn a_duration_is_read_from_json() {
        assert_eq!(pause("0.500s"), Some(Duration::from_millis(500)));
        assert_eq!(pause("-1s"), None);
        assert_eq!(pause("5"), None);
    }
}
