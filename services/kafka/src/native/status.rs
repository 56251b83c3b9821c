//! Whether a record that failed can be in the journal.

use rdkafka::message::BorrowedMessage;
use rdkafka_sys::rd_kafka_msg_status_t::RD_KAFKA_MSG_STATUS_NOT_PERSISTED;

/// True if the record never left, so that it is not in the journal and never will be.
pub fn never_left(message: &BorrowedMessage<'_>) -> bool {
    // SAFETY: the pointer is that of the message borrowed here, which keeps it alive; the call only reads it.
    let status = unsafe { rdkafka_sys::rd_kafka_message_status(message.ptr()) };
    status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED
}

/// Makes a producer fail as it does when a broker has forgotten it.
pub fn end_producer<C: rdkafka::ClientContext>(client: &rdkafka::client::Client<C>) {
    let code = rdkafka_sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    // SAFETY: the client is alive, and the text ends with a zero byte and is copied.
    unsafe { rdkafka_sys::rd_kafka_test_fatal_error(client.native_ptr(), code, c"for a test".as_ptr()) };
}
