//! Clients: they send requests, hear back or do not, and send again with the same id, a new one, or the same one for something else.

use std::collections::BTreeSet;

use souk_model::journal::{Journal, ShardId};
use souk_model::key::ActorKey;
use souk_model::planted::Bug;
use souk_model::time::{Millis, SECOND};
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::command::Action;
use souk_proto::journal::v1::record::Body;

use crate::faults::Fault;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::subject;
use crate::workload::{Request, SHOP, Workload, command_record};
use crate::world::{ClientNews, Happening, PARTITIONS, Sender, World};

/// A client gives up after so many tries, or so many questions about the outcome.
const TRIES: u32 = 6;
const QUESTIONS: u32 = 40;
const BURST: u32 = 10;

/// A request somebody has sent.
#[derive(Debug)]
pub struct Open {
    pub request: Request,
    pub shard: ShardId,
    tries: u32,
    questions: u32,
    appended: bool,
    gone: bool,
    /// Ids under which it was sent though one would have done: only a bug does that.
    pub renamed_from: Option<String>,
}

#[derive(Debug)]
pub struct Clients {
    pub workload: Workload,
    pub open: Vec<Open>,
    /// Users somebody asked to forget, as `shop/id`.
    pub erased: BTreeSet<String>,
    left: u32,
    gap: Millis,
}

impl Clients {
    pub fn new(plan: &Plan) -> Self {
        let mut rng = Rng::of(plan.seed, "clients");
        let span = rng.between(30, 90) * SECOND;
        let gap = span / i64::from(plan.operations.max(1));
        Self {
            workload: Workload::new(plan.seed),
            open: Vec::new(),
            erased: BTreeSet::new(),
            left: plan.operations,
            gap,
        }
    }

    /// Whether every operation of the plan was sent.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }
}

impl World {
    pub fn open_shop(&mut self) {
        for request in self.clients.workload.opening() {
            self.submit(request);
        }
        self.schedule.after(SECOND, Happening::NextRequest);
    }

    pub fn next_request(&mut self) {
        if self.chaos.is_calm() || self.clients.is_done() {
            return;
        }
        let batch = if self.chaos.strikes(Fault::Burst, 60) { BURST } else { 1 };
        for _ in 0..batch.min(self.clients.left) {
            self.clients.left -= 1;
            let shards: Vec<ShardId> = self.journal.shards().collect();
            let shard = shards[self.rng.index(shards.len())];
            let now = self.now();
            let broker_time = self.journal.broker_time(shard, now);
            let request = self.clients.workload.next(broker_time, &mut self.chaos);
            self.submit(request);
            if self.chaos.strikes(Fault::SettingsChanged, 120) {
                let record = self.clients.workload.new_settings();
                self.submit_to_all(&record);
            }
        }
        let gap = self.rng.between(0, 2 * self.clients.gap);
        self.schedule.after(gap, Happening::NextRequest);
    }

    /// One record for every partition: settings, a version barrier.
    pub fn submit_to_all(&mut self, record: &journal::Record) {
        let shards: Vec<ShardId> = self.journal.shards().collect();
        for shard in shards {
            let key = ActorKey::new(SHOP, "all");
            let request = Request {
                journal: shard.journal,
                key,
                record: record.clone(),
                id: String::new(),
                is_command: false,
                raw: None,
            };
            self.submit_at(request, shard);
        }
    }

    fn submit(&mut self, request: Request) {
        let partitions = match request.journal {
            Journal::Users => PARTITIONS.users,
            Journal::Products => PARTITIONS.products,
        };
        let shard = ShardId { journal: request.journal, partition: request.key.partition(partitions) };
        self.submit_at(request, shard);
    }

    fn submit_at(&mut self, request: Request, shard: ShardId) {
        if let Some(Body::Command(journal::Command { action: Some(Action::EraseUser(_)), .. })) =
            &request.record.body
        {
            self.clients.erased.insert(request.key.as_str().to_owned());
        }
        let gone = !request.id.is_empty() && self.chaos.strikes(Fault::AbandonAfterSend, 20);
        let open = Open { request, shard, tries: 0, questions: 0, appended: false, gone, renamed_from: None };
        self.clients.open.push(open);
        self.send_request(self.clients.open.len() - 1);
    }

    fn send_request(&mut self, at: usize) {
        let open = &mut self.clients.open[at];
        open.tries += 1;
        let mut bytes = open.request.bytes();
        let shard = open.shard;
        if !open.request.id.is_empty() && self.chaos.strikes(Fault::RecordCorrupted, 120) && !bytes.is_empty()
        {
            let byte = self.chaos.rng.index(bytes.len());
            bytes[byte] ^= 1 << self.chaos.rng.below(8);
            // No field has wire type 7: whatever the flipped bit made of it, it cannot be decoded, as a journal's checksum would have it.
            bytes.insert(0, 7);
        }
        self.send_append(shard, bytes, Sender::Client { request: at });
        if self.clients.open[at].request.is_command && self.chaos.strikes(Fault::SameIdOtherBody, 30) {
            self.send_impostor(at);
        }
    }

    /// The same request id with another body: whichever comes second must be refused.
    fn send_impostor(&mut self, at: usize) {
        let open = &self.clients.open[at];
        let action = match open.request.journal {
            Journal::Users => Action::ClearCart(journal::ClearCart {}),
            Journal::Products => Action::EndSale(journal::EndSale {}),
        };
        let record = command_record(open.request.key.id(), &open.request.id, action, Vec::new());
        let bytes = prost::Message::encode_to_vec(&record);
        self.send_append(open.shard, bytes, Sender::Nobody);
    }

    pub fn client(&mut self, at: usize, news: ClientNews) {
        let open = &mut self.clients.open[at];
        match news {
            ClientNews::Appended { shard, offset } => {
                open.appended = true;
                let id = open.request.id.clone();
                self.ledger.appends.acknowledged(shard, offset, id);
                if self.clients.open[at].gone {
                    return;
                }
                let after = self.rng.between(5, 200);
                self.schedule.after(after, Happening::Client { request: at, news: ClientNews::Ask });
                if self.chaos.strikes(Fault::RetrySameId, 12) {
                    self.plan_retry(at);
                } else if self.chaos.strikes(Fault::RetryNewId, 30)
                    && !self.clients.open[at].request.id.is_empty()
                {
                    let request = self.renamed(at);
                    self.submit(request);
                }
            }
            ClientNews::Refused => self.plan_retry(at),
            ClientNews::Unknown if open.gone => {}
            ClientNews::Unknown => {
                if self.plan.bug == Some(Bug::RepeatWithNewId) && open.request.is_command {
                    let old = open.request.id.clone();
                    let request = self.renamed(at);
                    let open = &mut self.clients.open[at];
                    open.request = request;
                    open.renamed_from = Some(old);
                }
                self.plan_retry(at);
            }
            ClientNews::Retry => self.send_request(at),
            ClientNews::Ask => self.ask(at),
        }
    }

    fn plan_retry(&mut self, at: usize) {
        let open = &self.clients.open[at];
        // Settings and barriers must reach every partition; people give up.
        let patient = open.request.id.is_empty() && open.request.raw.is_none();
        if self.closed || (open.tries >= TRIES && !patient) {
            return;
        }
        let after = self.rng.between(50, 2_000);
        self.schedule.after(after, Happening::Client { request: at, news: ClientNews::Retry });
    }

    /// The same request under another id.
    fn renamed(&self, at: usize) -> Request {
        let open = &self.clients.open[at];
        let mut request = open.request.clone();
        request.id = format!("{}/{}", request.id, open.tries).replace('/', "-again-");
        match &mut request.record.body {
            Some(Body::Event(record)) => {
                if let Some(event) = &mut record.event {
                    event.event_id.clone_from(&request.id);
                }
            }
            Some(Body::Command(command)) => command.request_id.clone_from(&request.id),
            _ => {}
        }
        request
    }

    /// Asks an owner what became of a checkout, until the order is final.
    fn ask(&mut self, at: usize) {
        let open = &mut self.clients.open[at];
        let Some(Body::Command(journal::Command { action: Some(Action::Checkout(checkout)), .. })) =
            &open.request.record.body
        else {
            return;
        };
        let order = checkout.order_id.clone();
        let (user, shard) = (open.request.key.clone(), open.shard);
        open.questions += 1;
        let ask_again = open.questions < QUESTIONS;
        let found = self.answering(shard, 0).filter(|id| self.finds(*id, &user));
        let state = found.and_then(|id| subject::order_state(self.owners[&id].owner.fold(), &user, &order));
        if let Some(end) = state.and_then(|state| state.end()) {
            let found = self.ledger.orders.ended(user.as_str(), &order, end);
            return self.check(found);
        }
        if ask_again {
            let after = self.rng.between(500, 4_000);
            self.schedule.after(after, Happening::Client { request: at, news: ClientNews::Ask });
        }
    }
}
