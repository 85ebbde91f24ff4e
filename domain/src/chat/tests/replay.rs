//! Random histories: what is recorded tells the whole story (R-ASG-13).

use super::*;

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap()
    }

    fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }
}

fn random_change(numbers: &mut Numbers) -> AssignmentChange {
    let users = [None, Some(None), Some(Some(ME)), Some(Some(OTHER)), Some(Some(BOT))];
    let groups = [None, Some(None), Some(Some(MINE)), Some(Some(FOREIGN))];
    AssignmentChange { user: numbers.one_of(&users), group: numbers.one_of(&groups) }
}

/// What an auditor reads out of the assignment events alone, oldest to newest.
fn audited(events: &[ChatEvent]) -> Assignment {
    let mut current = Assignment::default();
    for event in events {
        let ChatEvent::ChatAssigned(change) = event else { continue };
        assert!(!(change.user_cleared && change.user_set.is_some()));
        assert!(!(change.group_cleared && change.group_set.is_some()));
        if change.user_cleared {
            current.user = None;
        } else if let Some(user) = change.user_set {
            current.user = Some(user);
        }
        if change.group_cleared {
            current.group = None;
        } else if let Some(group) = change.group_set {
            current.group = Some(group);
        }
    }
    current
}

#[test]
fn r_asg_13_replaying_the_events_yields_the_current_assignment() {
    for seed in 0..200 {
        let mut numbers = Numbers(seed);
        let mut events = vec![hello()];
        let mut expected = Assignment::default();
        for _ in 0..40 {
            let actor = numbers.one_of(&[me(), other(), app(), admin()]);
            let change = random_change(&mut numbers);
            let decided = fold(&events).decide(ChatCommand::Assign { actor, change, now: NOW });
            if let Ok(new) = decided {
                let wished = Assignment {
                    user: change.user.unwrap_or(expected.user),
                    group: change.group.unwrap_or(expected.group),
                };
                assert_eq!(
                    new.len(),
                    usize::from(wished != expected),
                    "one event where something changes, seed {seed}"
                );
                expected = wished;
                events.extend(new);
            }
            assert_eq!(fold(&events).assignment, expected, "seed {seed}");
        }
        assert_eq!(audited(&events), expected, "seed {seed}");
    }
}

#[test]
fn r_asg_13_events_read_back_from_their_stored_form_yield_the_same_state() {
    let past = [hello(), queued(2, ME, "text", NOW), assigned(Some(ME), Some(MINE)), chat_tagged(None).into()];
    let read: Vec<ChatEvent> = past
        .iter()
        .map(|event| ChatEvent::read(event.name(), event.version(), &event.payload().unwrap()).unwrap())
        .collect();
    assert_eq!(fold(&read), fold(&past));
}
