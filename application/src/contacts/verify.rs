//! Checks whether numbers are on WhatsApp (R-CON-3).

use chatledger_domain::{
    WaId,
    whatsapp_account::{Channel, WhatsAppAccount},
};

use crate::{
    application::{Application, Context},
    chats::ACCOUNT,
    error::ApplicationError,
    ports::contacts::{NumberCheck, NumbersToCheck},
};

impl Application {
    /// One answer for each number, in their order. Only the on-premises API can be asked; for the others a plausible
    /// number is valid.
    ///
    /// # Errors
    /// The ledger's or the vault's fault; WhatsApp's is told as [`NumberCheck::Failed`].
    pub async fn verify_contacts(
        &self,
        context: &Context,
        numbers: NumbersToCheck,
    ) -> Result<Vec<NumberCheck>, ApplicationError> {
        let account: WhatsAppAccount = self.streams.state(context.tenant, ACCOUNT).await?;
        let number = account.number.filter(|number| number.channel == Channel::Onpremises);
        let Some(number) = number else { return Ok(numbers.inputs.iter().map(|input| plausible(input)).collect()) };
        let failed = || vec![NumberCheck::Failed; numbers.inputs.len()];
        let token = self.access_tokens.get(context.tenant, &number.phone_number_id).await?;
        let Some(token) = token else { return Ok(failed()) };
        Ok(self.contact_check.check(&number, &token, &numbers).await.unwrap_or_else(|error| {
            tracing::warn!(?error, "WhatsApp did not check the numbers");
            failed()
        }))
    }
}

/// A number of 7 to 15 digits with a country code (E.164), however it is written, may be on WhatsApp.
fn plausible(input: &str) -> NumberCheck {
    match WaId::parse(input) {
        Ok(id)
            if !id.is_business_scoped() && (7..=15).contains(&id.as_str().len()) && !id.as_str().starts_with('0') =>
        {
            NumberCheck::Valid(id.as_str().to_owned())
        }
        _ => NumberCheck::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_con_3_a_plausible_number_is_valid() {
        let valid = |id: &str| NumberCheck::Valid(id.to_owned());
        assert_eq!(plausible("+351 912 000-111"), valid("351912000111"));
        assert_eq!(plausible("1234567"), valid("1234567"));
        assert_eq!(plausible("123456789012345"), valid("123456789012345"));
        for input in ["", "123456", "1234567890123456", "0351912000111", "35191200011x", "US.134912086553027419"] {
            assert_eq!(plausible(input), NumberCheck::Invalid, "{input}");
        }
    }
}
