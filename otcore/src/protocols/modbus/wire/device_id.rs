//! Read Device Identification (43/14): vendor, product and revision, page by page.

use std::collections::BTreeMap;

use super::{Function, Modbus};
use crate::protocol::Request;
use crate::wire::{Reader, WireError, Writer};

const MEI_TYPE: u8 = 0x0E;
const MORE_FOLLOWS: u8 = 0xFF;
const MAX_FOLLOW_UPS: u8 = 8;

/// Which identification objects are asked for: the "read device id code".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Objects 0 to 2, as a stream.
    Basic,
    /// Objects up to 0x7F, as a stream; some devices send only 3 to 0x7F.
    Regular,
    /// Objects up to 0xFF, as a stream; some devices send only 0x80 to 0xFF.
    Extended,
    /// One object.
    Individual,
}

/// Asks for a page of identification objects. V1.1b3, 6.21.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadDeviceId {
    /// Which objects.
    pub code: Code,
    /// Where the page begins; for [`Code::Individual`], which object.
    pub object: u8,
}

impl ReadDeviceId {
    /// The first page of `code`.
    #[must_use]
    pub const fn first(code: Code) -> Self {
        Self { code, object: 0 }
    }
}

/// How much a device can say about itself: the "conformity level".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conformity(pub u8);

impl Conformity {
    /// The highest stream that the device claims to serve; `None` if the level is none that the
    /// specification knows.
    #[must_use]
    pub const fn highest(self) -> Option<Code> {
        match self.0 & 0x7F {
            0x01 => Some(Code::Basic),
            0x02 => Some(Code::Regular),
            0x03 => Some(Code::Extended),
            _ => None,
        }
    }

    /// Whether single objects can be asked for.
    #[must_use]
    pub const fn individual(self) -> bool {
        self.0 & 0x80 != 0 && self.highest().is_some()
    }

    /// Whether the device claims to serve `code`.
    #[must_use]
    pub fn promises(self, code: Code) -> bool {
        match code {
            Code::Individual => self.individual(),
            stream => self.highest().is_some_and(|highest| highest >= stream),
        }
    }
}

/// One answer to [`ReadDeviceId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceIdPage {
    /// What was asked for.
    pub code: Code,
    /// How much the device can say about itself.
    pub conformity: Conformity,
    /// Whether the device holds more; only the exact value FF counts.
    pub more_follows: bool,
    /// Where the next page begins; means something only if more follows.
    pub next_object: u8,
    /// `(object id, value)` in the order sent: those that are there in full.
    pub objects: Vec<(u8, Vec<u8>)>,
}

impl Request<Modbus> for ReadDeviceId {
    type Reply = DeviceIdPage;

    fn function(&self) -> Function {
        match self.code {
            Code::Basic => Function::ReadDeviceIdBasic,
            Code::Regular => Function::ReadDeviceIdRegular,
            Code::Extended => Function::ReadDeviceIdExtended,
            Code::Individual => Function::ReadDeviceIdIndividual,
        }
    }

    fn write(&self, body: &mut Writer) {
        body.u8(self.object);
    }

    /// Tolerant where real devices need it: the echoed code is not compared, and a list that ends
    /// too early yields the objects before its end.
    fn read(&self, r: &mut Reader<'_>) -> Result<DeviceIdPage, WireError> {
        r.expect_u8(MEI_TYPE, "mei type")?;
        r.u8("read device id code")?;
        let conformity = Conformity(r.u8("conformity level")?);
        let more_follows = r.u8("more follows")? == MORE_FOLLOWS;
        let next_object = r.u8("next object id")?;
        let count = r.u8("number of objects")?;
        // An object takes two bytes at least: room for what can be there, not for what is claimed.
        let mut objects = Vec::with_capacity(usize::from(count).min(r.left() / 2));
        objects.extend((0..count).map_while(|_| object(r).ok()));
        Ok(DeviceIdPage { code: self.code, conformity, more_follows, next_object, objects })
    }
}

fn object(r: &mut Reader<'_>) -> Result<(u8, Vec<u8>), WireError> {
    let id = r.u8("object id")?;
    let len = r.u8("object length")?;
    Ok((id, r.take(len.into(), "object value")?.to_vec()))
}

/// The name of an identification object; `None` for reserved and private ones.
///
/// ```
/// assert_eq!(otcore::protocols::modbus::object_name(1), Some("ProductCode"));
/// ```
#[must_use]
pub const fn object_name(object: u8) -> Option<&'static str> {
    Some(match object {
        0x00 => "VendorName",
        0x01 => "ProductCode",
        0x02 => "MajorMinorRevision",
        0x03 => "VendorUrl",
        0x04 => "ProductName",
        0x05 => "ModelName",
        0x06 => "UserApplicationName",
        _ => return None,
    })
}

/// What to do after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask the same code again, from this object on.
    Ask(u8),
    /// This code has nothing more to say.
    Done,
}

/// Collects the pages of one device, all codes together.
///
/// It ends whatever the device does: within one code the next object must rise strictly, an empty
/// page is the last, and there are at most eight follow-ups, however often it is fed.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    objects: BTreeMap<u8, Vec<u8>>,
    conformity: Option<Conformity>,
    streams: BTreeMap<Code, Stream>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    follow_ups: u8,
    /// The greatest object id asked for or seen.
    greatest: u8,
}

impl Pages {
    /// Keep a page and say what to ask next.
    ///
    /// An object that several pages hold keeps its first value that is not empty.
    pub fn next(&mut self, page: DeviceIdPage) -> Next {
        let next = self.streams.entry(page.code).or_default().next(&page);
        self.conformity.get_or_insert(page.conformity);
        for (id, value) in page.objects {
            let kept = self.objects.entry(id).or_default();
            if kept.is_empty() {
                *kept = value;
            }
        }
        next
    }

    /// Values by object id.
    #[must_use]
    pub fn objects(&self) -> &BTreeMap<u8, Vec<u8>> {
        &self.objects
    }

    /// The conformity level of the first page.
    #[must_use]
    pub fn conformity(&self) -> Option<Conformity> {
        self.conformity
    }
}

impl Stream {
    fn next(&mut self, page: &DeviceIdPage) -> Next {
        let Some(last) = page.objects.iter().map(|(id, _)| *id).max() else { return Next::Done };
        self.greatest = self.greatest.max(last);
        let goes_on = page.more_follows
            && page.code != Code::Individual
            && page.next_object > self.greatest
            && self.follow_ups < MAX_FOLLOW_UPS;
        if !goes_on {
            return Next::Done;
        }
        self.follow_ups += 1;
        self.greatest = page.next_object;
        Next::Ask(page.next_object)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(bytes: &[u8]) -> Result<DeviceIdPage, WireError> {
        ReadDeviceId::first(Code::Basic).read(&mut Reader::new(bytes))
    }

    fn stream(more_follows: bool, next_object: u8, objects: &[(u8, &[u8])]) -> DeviceIdPage {
        let objects = objects.iter().map(|(id, value)| (*id, value.to_vec())).collect();
        let conformity = Conformity(0x83);
        DeviceIdPage { code: Code::Extended, conformity, more_follows, next_object, objects }
    }

    #[test]
    fn a_conformity_level_says_how_far_to_climb() {
        assert_eq!(Conformity(0x01).highest(), Some(Code::Basic));
        assert_eq!(Conformity(0x82).highest(), Some(Code::Regular));
        assert_eq!(Conformity(0x83).highest(), Some(Code::Extended));
        assert!(Conformity(0x83).individual() && !Conformity(0x03).individual());
        assert_eq!(Conformity(0x00).highest(), None);
        assert!(!Conformity(0x80).individual(), "a level nobody knows promises nothing");
        assert!(Conformity(0x82).promises(Code::Basic) && Conformity(0x82).promises(Code::Regular));
        assert!(!Conformity(0x82).promises(Code::Extended));
        assert!(Conformity(0x82).promises(Code::Individual));
        assert!(!Conformity(0x03).promises(Code::Individual));
    }

    #[test]
    fn a_list_cut_short_keeps_its_whole_objects() {
        let cut = page(&[0x0E, 1, 1, 0, 0, 3, 0, 2, b'A', b'B', 1, 1, b'C', 2, 9, b'D']).unwrap();
        assert_eq!(cut.objects, [(0, b"AB".to_vec()), (1, b"C".to_vec())]);
    }

    #[test]
    fn a_header_cut_short_names_the_field() {
        let error = page(&[0x0E, 1, 1, 0]).unwrap_err();
        assert_eq!(error.to_string(), "next object id: message ends too early");
        assert_eq!(page(&[0x0D]), Err(WireError::Invalid { field: "mei type", value: 0x0D }));
    }

    #[test]
    fn more_follows_only_when_exactly_ff() {
        assert!(page(&[0x0E, 1, 1, 0xFF, 3, 0]).unwrap().more_follows);
        assert!(!page(&[0x0E, 1, 1, 0x4D, 3, 0]).unwrap().more_follows);
        assert!(!page(&[0x0E, 1, 1, 0x01, 3, 0]).unwrap().more_follows);
    }

    #[test]
    fn pages_of_one_object_each_are_joined() {
        let mut pages = Pages::default();
        assert_eq!(pages.next(stream(true, 1, &[(0, b"Rigwerk AG")])), Next::Ask(1));
        assert_eq!(pages.next(stream(true, 0x80, &[(1, b"RW-TM-77")])), Next::Ask(0x80));
        assert_eq!(pages.next(stream(false, 0, &[(0x80, b"SN-TM-0042")])), Next::Done);
        assert_eq!(pages.objects().keys().copied().collect::<Vec<_>>(), [0, 1, 0x80]);
        assert_eq!(pages.conformity(), Some(Conformity(0x83)));
    }

    #[test]
    fn codes_that_are_not_cumulative_are_merged() {
        let mut pages = Pages::default();
        let basic = DeviceIdPage { code: Code::Basic, ..stream(false, 0, &[(0, b"Rigwerk AG")]) };
        let regular = DeviceIdPage { code: Code::Regular, ..stream(false, 0, &[(3, b"url")]) };
        let extended = stream(false, 0, &[(0, b"other"), (0x80, b"SN")]);
        for page in [basic, regular, extended] {
            assert_eq!(pages.next(page), Next::Done);
        }
        assert_eq!(pages.objects()[&0], b"Rigwerk AG");
        assert_eq!(pages.objects().len(), 3);
    }

    #[test]
    fn a_next_object_that_does_not_rise_ends_the_stream() {
        let mut pages = Pages::default();
        assert_eq!(pages.next(stream(true, 2, &[(0, b"a"), (2, b"c")])), Next::Done);
        let mut pages = Pages::default();
        assert_eq!(pages.next(stream(true, 5, &[(0, b"a")])), Next::Ask(5));
        assert_eq!(pages.next(stream(true, 3, &[(0, b"a")])), Next::Done, "started over");
    }

    #[test]
    fn an_empty_page_ends_the_stream() {
        assert_eq!(Pages::default().next(stream(true, 9, &[])), Next::Done);
    }

    #[test]
    fn a_single_object_has_no_next() {
        let one = DeviceIdPage { code: Code::Individual, ..stream(true, 9, &[(4, b"x")]) };
        assert_eq!(Pages::default().next(one), Next::Done);
    }

    fn any_page() -> impl Strategy<Value = DeviceIdPage> {
        let code = prop::sample::select(vec![
            Code::Basic,
            Code::Regular,
            Code::Extended,
            Code::Individual,
        ]);
        let objects = prop::collection::vec((any::<u8>(), any::<Vec<u8>>()), 0..4);
        let rest = (any::<u8>(), prop::bool::weighted(0.9), any::<u8>(), objects);
        (code, rest).prop_map(|(code, (level, more_follows, next_object, objects))| {
            let conformity = Conformity(level);
            DeviceIdPage { code, conformity, more_follows, next_object, objects }
        })
    }

    proptest! {
        #[test]
        fn it_ends_for_any_sequence_of_replies(pages in prop::collection::vec(any_page(), 0..99)) {
            let mut all = Pages::default();
            let mut asked: BTreeMap<Code, Vec<u8>> = BTreeMap::new();
            for page in pages {
                let code = page.code;
                if let Next::Ask(object) = all.next(page) {
                    asked.entry(code).or_default().push(object);
                }
            }
            for objects in asked.values() {
                prop_assert!(objects.len() <= 8);
                prop_assert!(objects.is_sorted_by(|a, b| a < b));
            }
        }

        #[test]
        fn the_patient_liar_gets_eight_follow_ups(step in 1u8..=25) {
            let mut pages = Pages::default();
            let mut at = 0u8;
            let mut follow_ups = 0;
            while let Next::Ask(object) = pages.next(stream(true, at + step, &[(at, b"x")])) {
                at = object;
                follow_ups += 1;
            }
            prop_assert_eq!(follow_ups, 8);
        }

        #[test]
        fn any_bytes_are_a_page_or_an_error(bytes: Vec<u8>) {
            if let Ok(page) = page(&bytes) {
                let kept: usize = page.objects.iter().map(|(_, value)| value.len() + 2).sum();
                prop_assert!(kept + 6 <= bytes.len());
            }
        }
    }

    /// Modbus Application Protocol, clause 6.21: seven objects have a name, the others none.
    #[test]
    fn the_objects_of_the_standard_have_names_and_others_have_none() {
        let named: Vec<(u8, &str)> =
            (0..=0xFF).filter_map(|object| Some((object, object_name(object)?))).collect();
        let numbers: Vec<u8> = named.iter().map(|(object, _)| *object).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((named[0].1, named[6].1), ("VendorName", "UserApplicationName"));
    }
}
