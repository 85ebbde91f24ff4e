//! The rules of tags.

use super::{Tag, TagChanged, TagCommand, TagCreated, TagDeleted, TagEvent, TagRefusal};
use crate::{decider::Decider, ids::Position};

impl Decider for Tag {
    const TYPE: &'static str = "Tag";
    type Command = TagCommand;
    type Event = TagEvent;
    type Refusal = TagRefusal;

    fn decide(&self, command: TagCommand) -> Result<Vec<TagEvent>, TagRefusal> {
        match command {
            TagCommand::Create { .. } if self.exists => Ok(Vec::new()),
            TagCommand::Create { name, web_inbox_color, done_by } => {
                Ok(vec![TagCreated { name, web_inbox_color, done_by }.into()])
            }
            _ if !self.exists => Err(TagRefusal::Unknown),
            TagCommand::Change { name, web_inbox_color, done_by } => {
                let name = name.unwrap_or_else(|| self.name.clone());
                let web_inbox_color = web_inbox_color.unwrap_or_else(|| self.web_inbox_color.clone());
                if name == self.name && web_inbox_color == self.web_inbox_color {
                    return Ok(Vec::new());
                }
                Ok(vec![TagChanged { name, previous_name: self.name.clone(), web_inbox_color, done_by }.into()])
            }
            TagCommand::Delete { done_by } => Ok(vec![TagDeleted { name: self.name.clone(), done_by }.into()]),
        }
    }

    fn evolve(&mut self, event: &TagEvent, position: Position) {
        self.after(event, position);
    }
}
