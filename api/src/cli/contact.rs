//! `contact`: what the operator puts into the address book, and whom it forgets.

use std::{path::PathBuf, process::ExitCode};

use chatledger_application::contacts::UpsertContact;
use chatledger_domain::{
    TenantId, WaId,
    contact::{EmailAddress, PhoneNumber},
};
use clap::{Args, Subcommand};
use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::{DataArgs, Failure, progress::Bar};
use crate::bootstrap::{Config, Tools};

/// Contacts saved at once: they share the ledger's appends.
const AT_ONCE: usize = 64;

/// The address book.
#[derive(Args)]
pub struct ContactArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: ContactCommand,
}

#[derive(Subcommand)]
enum ContactCommand {
    /// Save a contact, or change what is saved; what is not given stays.
    Upsert {
        /// The tenant's short name.
        #[arg(long)]
        tenant: String,
        /// The number of its chat, with the country code.
        #[arg(long)]
        wa_id: String,
        /// Its name.
        #[arg(long)]
        name: Option<String>,
        /// A phone number and what it is, such as `+351912000111=mobile`; may be given several times.
        #[arg(long = "phone", value_name = "NUMBER[=WHAT]")]
        phones: Vec<String>,
        /// An email address and what it is, such as `rui@costa.example=work`; may be given several times.
        #[arg(long = "email", value_name = "ADDRESS[=WHAT]")]
        emails: Vec<String>,
    },
    /// Save the contacts of a CSV file: columns wa_id, name, phone_numbers, email_addresses; the last two hold
    /// NUMBER[=WHAT] and ADDRESS[=WHAT], several separated by `;`. A line that does not fit stops it before anything
    /// is saved.
    Import {
        /// The tenant's short name.
        #[arg(long)]
        tenant: String,
        /// The file, UTF-8, its first line naming the columns.
        file: PathBuf,
    },
    /// Forget a contact: blank what it said and what is saved of it, remove its files. Cannot be undone. Its number stays,
    /// as the name of a chat without content; again, it changes nothing.
    Erase {
        /// The tenant's short name.
        #[arg(long)]
        tenant: String,
        /// The number of its chat, with the country code.
        wa_id: String,
    },
}

/// A line of an import.
#[derive(Deserialize)]
struct Line {
    wa_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    phone_numbers: String,
    #[serde(default)]
    email_addresses: String,
}

/// Runs `contact …`.
pub async fn run(mut config: Config, args: ContactArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    // What does not fit is told before a database is opened.
    let (tenant, contacts) = match args.command {
        ContactCommand::Upsert { tenant, wa_id, name, phones, emails } => {
            let (phones, emails) = (phones.iter().map(String::as_str), emails.iter().map(String::as_str));
            (tenant, vec![contact(&wa_id, name, phones, emails)?])
        }
        ContactCommand::Import { tenant, file } => (tenant, read(&file)?),
        ContactCommand::Erase { tenant, wa_id } => {
            let wa_id = WaId::parse(&wa_id).map_err(|error| format!("{wa_id:?} is {error}"))?;
            let tools = Tools::open(config).await?;
            let result = erase(&tools, &tenant, wa_id).await;
            tools.close().await;
            return result;
        }
    };
    let tools = Tools::open(config).await?;
    let result = save(&tools, TenantId::of_slug(&tenant), contacts).await;
    tools.close().await;
    result
}

fn read(file: &std::path::Path) -> Result<Vec<UpsertContact>, Failure> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_path(file)?;
    let (mut contacts, mut wrong) = (Vec::new(), Vec::new());
    let columns = reader.headers()?.clone();
    for record in reader.records() {
        let line = record.and_then(|mut record| {
            // A short line leaves its last columns empty.
            (record.len()..columns.len()).for_each(|_| record.push_field(""));
            record.deserialize::<Line>(Some(&columns))
        });
        let read = line.map_err(Failure::from).and_then(|line| {
            let name = Some(line.name).filter(|name| !name.is_empty());
            contact(&line.wa_id, name, line.phone_numbers.split(';'), line.email_addresses.split(';'))
        });
        match read {
            Ok(contact) => contacts.push(contact),
            Err(error) => wrong.push(format!("contact {}: {error}", contacts.len() + wrong.len() + 1)),
        }
    }
    if wrong.is_empty() { Ok(contacts) } else { Err(wrong.join("\n").into()) }
}

fn contact<'a>(
    wa_id: &str,
    name: Option<String>,
    phones: impl Iterator<Item = &'a str>,
    emails: impl Iterator<Item = &'a str>,
) -> Result<UpsertContact, Failure> {
    let wa_id = WaId::parse(wa_id).map_err(|error| format!("{wa_id:?} is {error}"))?;
    let named = |text: &str| {
        let (value, what) = text.split_once('=').unwrap_or((text, ""));
        (value.trim().to_owned(), what.trim().to_owned())
    };
    let phones = phones.map(named).filter(|(number, _)| !number.is_empty());
    let emails = emails.map(named).filter(|(address, _)| !address.is_empty());
    let phones: Vec<_> = phones.map(|(phone_number, description)| PhoneNumber { phone_number, description }).collect();
    let emails: Vec<_> =
        emails.map(|(email_address, description)| EmailAddress { email_address, description }).collect();
    Ok(UpsertContact {
        wa_id,
        name,
        phone_numbers: Some(phones).filter(|phones| !phones.is_empty()),
        email_addresses: Some(emails).filter(|emails| !emails.is_empty()),
    })
}

async fn erase(tools: &Tools, slug: &str, wa_id: WaId) -> Result<ExitCode, Failure> {
    let erased = tools.application.erase_contact_as_operator(TenantId::of_slug(slug), wa_id.clone()).await?;
    match erased.position {
        Some(position) => println!("{wa_id} is forgotten, recorded at position {position}"),
        None => println!("{wa_id} was forgotten before; nothing new was there"),
    }
    let rows = [
        ("events blanked", erased.events),
        ("files removed", erased.files),
        ("messages not sent any more", erased.unsent),
        ("deliveries without their content", erased.deliveries),
        ("quarantined calls dropped", erased.quarantined),
    ];
    for (what, count) in rows {
        println!("  {what:<33} {count:>8}");
    }
    println!("What stays: the number itself, as the name of a chat without content, and who did what in it when.");
    println!(
        "On disk: dead rows until VACUUM, the write-ahead log, backups; see \"Forgetting a contact\" in the README."
    );
    Ok(ExitCode::SUCCESS)
}

async fn save(tools: &Tools, tenant: TenantId, contacts: Vec<UpsertContact>) -> Result<ExitCode, Failure> {
    let total = i64::try_from(contacts.len())?;
    let bar = Bar::new("saving contacts");
    let (mut done, mut changed) = (0, 0);
    bar.set(done, total);
    let mut saved = stream::iter(contacts.into_iter().map(|contact| tools.application.import_contact(tenant, contact)))
        .buffer_unordered(AT_ONCE);
    while let Some(saved) = saved.next().await {
        changed += i64::from(saved?);
        done += 1;
        bar.set(done, total);
    }
    bar.finish();
    println!("{changed} of {total} contacts changed");
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(text: &str) -> Result<Vec<UpsertContact>, Failure> {
        let file = tempfile_of(text);
        let read = read(&file);
        let _ = std::fs::remove_file(file);
        read
    }

    fn tempfile_of(text: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("contacts-{}.csv", uuid::Uuid::new_v4()));
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_file_is_read_by_the_names_of_its_columns() {
        let read = import(
            "name,wa_id,email_addresses,phone_numbers\n\
             \"Costa, Rui\", +351 912 000 111 ,rui@costa.example=work; r@c.example,+351 21 0=office\n\
             ,351912000222\n",
        );
        let contacts = read.unwrap();
        assert_eq!(contacts[0].wa_id.as_str(), "351912000111");
        assert_eq!(contacts[0].name.as_deref(), Some("Costa, Rui"));
        let emails = contacts[0].email_addresses.as_ref().unwrap();
        assert_eq!((emails.len(), emails[0].description.as_str(), emails[1].description.as_str()), (2, "work", ""));
        assert_eq!(contacts[0].phone_numbers.as_ref().unwrap()[0].phone_number, "+351 21 0");
        assert!(contacts[1].name.is_none() && contacts[1].phone_numbers.is_none());
    }

    #[test]
    fn every_line_that_does_not_fit_is_named() {
        let error = import("wa_id,name\nabc,x\n351912000111,y\n,z\n").unwrap_err().to_string();
        assert_eq!(error, "contact 1: \"abc\" is not a WhatsApp id\ncontact 3: \"\" is not a WhatsApp id");
        assert!(import("name\nRui\n").is_err());
    }
}
