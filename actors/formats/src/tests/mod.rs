mod declared;
mod messages;
mod refusals;
mod there_and_back;
