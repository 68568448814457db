//! What a silence means, after what a device has said.

/// What a silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It had answered before: it went dark, is quarantined, and gets no further packet.
    WentDark,
    /// It had granted a transport that other protocols share, and nothing more: perhaps it does not
    /// know this one. It is quarantined as if it had gone dark, and gets no further packet; only the
    /// scan goes on, without this protocol where that happens again.
    TransportOnly,
    /// It was a call, and nobody is meant by it.
    NotMeant,
    /// It was a call that the device hands on, and nobody behind it answered. Nothing more is handed
    /// on until it has answered a question of its own.
    NobodyBehind,
    /// It never said anything.
    NeverAnswered,
}

impl Silence {
    /// What is to be added to "no answer", for a person.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::TransportOnly => "; it had granted the transport and nothing more",
            Self::NotMeant => "; nobody may have been meant",
            Self::NobodyBehind => "; nobody may live behind it",
            Self::WentDark | Self::NeverAnswered => "",
        }
    }
}

/// What a device has said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    /// It granted a shared transport on the connection of this number.
    Transport(u64),
    Something,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_that_is_more_than_no_answer_says_what_it_was() {
        let told = [Silence::TransportOnly, Silence::NotMeant, Silence::NobodyBehind];
        assert!(told.map(Silence::in_words).iter().all(|words| words.starts_with("; ")));
        let plain = [Silence::WentDark, Silence::NeverAnswered];
        assert_eq!(plain.map(Silence::in_words), ["", ""]);
    }
}
