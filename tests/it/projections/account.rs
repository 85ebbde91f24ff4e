//! What the account's templates and profile add to the ledgers of [`super::history`].

use chatledger_domain::{
    BlobId, UserId,
    business_profile::*,
    template_catalogue::{
        Template, TemplateCatalogueEvent, TemplateCreated, TemplateDeleted, TemplateGone, TemplateSeen,
        TemplateStatusChanged,
    },
};

use super::history::{Writer, json};

/// Templates and the business profile, with every kind of event.
pub fn set_up(w: &mut Writer) {
    let template = |name: &str, language: &str, text: &str| Template {
        name: name.into(),
        language: language.into(),
        id: None,
        category: "UTILITY".into(),
        components: json(text),
        namespace: "n".into(),
        rejected_reason: "NONE".into(),
        status: "pending".into(),
    };
    let body = r#"[ {"type":"BODY","text":"Hi {{1}} \u0000"} ]"#;
    let mut add = |event: TemplateCatalogueEvent| w.add("TemplateCatalogue", "templates", event);
    for (name, language) in [("hi", "en"), ("hi", "pt_PT"), ("old", "en"), ("gone", "en")] {
        add(TemplateSeen { template: template(name, language, body) }.into());
    }
    add(TemplateSeen { template: template("hi", "en", "[]") }.into());
    add(TemplateCreated { template: template("new", "en", body), done_by: UserId(1) }.into());
    for name in ["new", "unknown"] {
        let (name, language, status) = (name.into(), "en".into(), "approved".into());
        add(TemplateStatusChanged { name, language, id: None, status, rejected_reason: "NONE".into() }.into());
    }
    add(TemplateGone { name: "gone".into(), language: "en".into() }.into());
    add(TemplateDeleted { name: "old".into(), done_by: UserId(1) }.into());
    for (about, website) in [("Here", "https://a.example"), ("There \0", "https://b.example")] {
        let profile = Profile { about: about.into(), websites: vec![website.into()], ..Profile::default() };
        w.add(
            "BusinessProfile",
            "profile",
            BusinessProfileEvent::from(BusinessProfileSeen { profile: profile.clone() }),
        );
        let changed = BusinessProfileChanged { profile, done_by: UserId(1) };
        w.add("BusinessProfile", "profile", BusinessProfileEvent::from(changed));
    }
    let photo =
        |size| ProfilePhoto { blob: BlobId::default(), mime_type: "image/png".into(), size, sha256: "a".into() };
    let mut add = |event: BusinessProfileEvent| w.add("BusinessProfile", "profile", event);
    add(ProfilePhotoChanged { photo: photo(1), done_by: UserId(1) }.into());
    add(ProfilePhotoRemoved { done_by: UserId(1) }.into());
    add(ProfilePhotoSeen { photo: Some(photo(2)) }.into());
}
