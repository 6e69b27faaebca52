//! Poll handles: connections, pipes and files.

mod both_directions;
mod closed_at_once;
mod closed_by_the_first_of_many;
mod closed_descriptor_sends_no_event;
mod collected_event;
mod disconnect_alone;
mod dropped_descriptor;
mod exists;
mod fifo;
mod file;
mod hang_up;
mod nested_poller;
mod next_ready;
mod pipe_without_reader;
mod polled_once;
mod prioritized;
mod reset;
mod reset_with_priority;
mod unread_data;
mod urgent_beside_normal_data;
mod writable;

uv_handles_test_guests::cases!(
    both_directions,
    closed_at_once,
    closed_by_the_first_of_many,
    closed_descriptor_sends_no_event,
    collected_event,
    disconnect_alone,
    dropped_descriptor,
    exists,
    fifo,
    file,
    hang_up,
    nested_poller,
    next_ready,
    pipe_without_reader,
    polled_once,
    prioritized,
    reset,
    reset_with_priority,
    unread_data,
    urgent_beside_normal_data,
    writable,
);
