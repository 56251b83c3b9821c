//! Whether a record that failed can be in the journal.

use rdkafka::message::BorrowedMessage;
use rdkafka_sys::rd_kafka_msg_status_t::RD_KAFKA_MSG_STATUS_NOT_PERSISTED;

/// True if the record never left, so that it is not in the journal and never will be.
pub(crate) fn never_left(message: &BorrowedMessage<'_>) -> bool {
    // SAFETY: the pointer is that of the message borrowed here, which keeps it alive; the call only reads it.
    let status = unsafe { rdkafka_sys::rd_kafka_message_status(message.ptr()) };
    status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED
}
