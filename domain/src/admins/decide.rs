//! The rules of the admins.

use super::{AdminJoined, AdminLeft, Admins, AdminsCommand, AdminsEvent, AdminsRefusal};
use crate::{decider::Decider, ids::Position};

impl Decider for Admins {
    const TYPE: &'static str = "Admins";
    type Command = AdminsCommand;
    type Event = AdminsEvent;
    type Refusal = AdminsRefusal;

    fn decide(&self, command: AdminsCommand) -> Result<Vec<AdminsEvent>, AdminsRefusal> {
        match command {
            AdminsCommand::Join { user } if self.users.contains(&user) => Ok(Vec::new()),
            AdminsCommand::Join { user } => Ok(vec![AdminJoined { user }.into()]),
            AdminsCommand::Leave { user } if !self.users.contains(&user) => Ok(Vec::new()),
            AdminsCommand::Leave { .. } if self.users.len() == 1 => Err(AdminsRefusal::Last),
            AdminsCommand::Leave { user } => Ok(vec![AdminLeft { user }.into()]),
        }
    }

    fn evolve(&mut self, event: &AdminsEvent, _: Position) {
        self.after(event);
    }
}
