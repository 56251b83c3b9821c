//! DescribeActor: everything one actor holds.

use prost::Message;
use prost_types::Any;
use souk_model::actor::Actor;
use souk_model::key::ActorKey;
use souk_model::product::Product;
use souk_model::user::User;
use souk_model::verdict::Reason;
use souk_proto::v1;
use souk_runtime::read::{Read, Standing};

use crate::names::ActorName;
use crate::read_options::ReadCall;
use crate::{ApiError, Call, Context, names};

/// An actor as it is shown, and the bytes it takes.
type Shown = (Any, usize);

pub(super) async fn describe(
    context: &Context,
    call: &Call,
    request: &v1::DescribeActorRequest,
) -> Result<v1::DescribeActorResponse, ApiError> {
    let asked = ReadCall::of(None, call)?;
    let read: Read<Option<Shown>> = match names::actor("name", &request.name)? {
        ActorName::User(user) => {
            let key = ActorKey::new(&call.shop, user);
            let show = |user: &User, standing: Standing<'_>| {
                (any("souk.v1.UserState", &user.to_proto(&key, &standing.now)), bytes(user))
            };
            context.runtime.user(&key, &asked.options, show).await?
        }
        ActorName::Product(product) => {
            let key = ActorKey::new(&call.shop, product);
            let show = |product: &Product, _: Standing<'_>| {
                (any("souk.v1.Product", &product.to_proto(&key)), bytes(product))
            };
            context.runtime.product(&key, &asked.options, show).await?
        }
    };
    let info = asked.info(&read);
    let (state, bytes) =
        read.value.ok_or_else(|| ApiError::unknown(Reason::ResourceUnknown, &request.name))?;
    Ok(v1::DescribeActorResponse {
        state: Some(state),
        idle: None,
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        info: Some(info),
    })
}

fn bytes(actor: &impl Actor) -> usize {
    let mut encoded = Vec::new();
    actor.encode(&mut encoded);
    encoded.len()
}

fn any(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("type.googleapis.com/{name}"), value: message.encode_to_vec() }
}
