//! Everything that can go wrong at the border to C: panics, handles, pointers, texts, callbacks.
//!
//! A handle is a number, never an address. The table below knows every number that is in use and
//! what it stands for, so a handle is looked up and never followed: null, stale, foreign and doubly
//! freed ones are simply not there. Numbers are odd, which no pointer to an object is, and never
//! used again. A value that is freed while another thread uses it lives until that call returns.
//!
//! The table, and the last error of each thread, are all that the library keeps besides what its
//! handles own.

#![allow(unsafe_code)]

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use otcore::Event;
use otcore::blocking::{Log, Packs, Tree, json, told};

use crate::{
    OTCORE_FOREVER, OtcoreEventCallback, OtcoreLogCallback, OtcorePacks, OtcoreScan, OtcoreScanner,
    OtcoreSettings, OtcoreStatus, OtcoreStore, OtcoreText,
};

/// A text from C has at most this many bytes: more than any policy or list of targets needs.
const LONGEST_TEXT: usize = 16 << 20;

/// A stored document from C has at most this many bytes, as everywhere.
const LONGEST_DOCUMENT: usize = otcore::model::LARGEST_DOCUMENT;

/// Why a call did not give its result.
#[derive(Debug)]
pub(crate) struct Failure {
    status: OtcoreStatus,
    text: String,
}

impl Failure {
    fn new(status: OtcoreStatus, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl From<otcore::Error> for Failure {
    fn from(error: otcore::Error) -> Self {
        Self::new(error.kind().into(), error.to_string())
    }
}

/// For [`OtcoreStatus::Pending`] and [`OtcoreStatus::End`], which are no errors and have no text.
impl From<OtcoreStatus> for Failure {
    fn from(status: OtcoreStatus) -> Self {
        Self::new(status, "")
    }
}

/// What a handle can stand for.
pub(crate) trait Handle: Any + Send + Sync {
    /// What C programmers call it.
    const NAME: &'static str;

    /// Called once when C frees it, even if another thread still uses it.
    fn retire(&self) {}
}

impl Handle for OtcoreSettings {
    const NAME: &'static str = "settings";
}

impl Handle for OtcoreScanner {
    const NAME: &'static str = "scanner";
}

impl Handle for OtcoreScan {
    const NAME: &'static str = "scan";

    fn retire(&self) {
        self.0.retire();
    }
}

impl Handle for OtcoreStore {
    const NAME: &'static str = "store";
}

impl Handle for OtcorePacks {
    const NAME: &'static str = "packs";
}

impl Handle for OtcoreText {
    const NAME: &'static str = "text";
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Run `call`; a failure or a panic becomes its status, and its text the last error of this thread.
pub(crate) fn guard(call: impl FnOnce() -> Result<(), Failure>) -> OtcoreStatus {
    let failure = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => return OtcoreStatus::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            Failure::new(OtcoreStatus::Panic, format!("bug in otcore: {}", said(&*panic)))
        }
    };
    if !failure.text.is_empty() {
        let text = CString::new(failure.text.replace('\0', "?")).unwrap_or_default();
        let _ = LAST.try_with(|last| *last.borrow_mut() = text); // a thread that ends has none
    }
    failure.status
}

/// The text of the last failure in this thread. A thread that is ending has none.
pub(crate) fn last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(constant("\0"))
}

/// A literal that ends with NUL, for C.
pub(crate) const fn constant(literal: &'static str) -> *const c_char {
    assert!(matches!(literal.as_bytes(), [.., 0]));
    literal.as_ptr().cast()
}

/// What `handle` stands for.
pub(crate) fn find<T: Handle>(handle: *const T) -> Result<Arc<T>, Failure> {
    let found = table().live.get(&handle.addr()).cloned();
    found.and_then(|value| value.downcast().ok()).ok_or_else(|| bad(handle))
}

/// As [`find`], but NULL is none.
pub(crate) fn found<T: Handle>(handle: *const T) -> Result<Option<Arc<T>>, Failure> {
    (!handle.is_null()).then(|| find(handle)).transpose()
}

/// Something of what `handle` stands for, or `otherwise`.
pub(crate) fn lend<T: Handle, R>(handle: *const T, otherwise: R, use_it: fn(&T) -> R) -> R {
    let mut lent = otherwise;
    guard(|| {
        lent = use_it(&*find(handle)?);
        Ok(())
    });
    lent
}

/// Free a handle. NULL is fine.
pub(crate) fn forget<T: Handle>(handle: *mut T) -> Result<(), Failure> {
    if handle.is_null() {
        return Ok(());
    }
    find(handle)?.retire();
    let taken = table().live.remove(&handle.addr()); // by a statement of its own: dropping takes time
    taken.map(drop).ok_or_else(|| bad(handle)) // another thread may have been faster
}

/// Make a value and write a handle for it to `out`, or NULL if there is none.
///
/// # Safety
/// `out` is null, not aligned, or valid for writes.
pub(crate) unsafe fn give<T: Handle>(
    out: *mut *mut T,
    make: impl FnOnce() -> Result<T, Failure>,
) -> Result<(), Failure> {
    let out = place(out, T::NAME)?;
    // SAFETY: a place is valid for writes; here and below.
    unsafe { out.write(ptr::null_mut()) };
    let value = make()?;
    let handle = table().keep(value)?;
    unsafe { out.write(handle) };
    Ok(())
}

/// Make a value and write it to `out`, which is left alone if there is none.
///
/// # Safety
/// As for [`give`].
pub(crate) unsafe fn put<T>(
    out: *mut T,
    make: impl FnOnce() -> Result<T, Failure>,
) -> Result<(), Failure> {
    let (out, value) = (place(out, "result")?, make()?);
    // SAFETY: a place is valid for writes.
    unsafe { out.write(value) };
    Ok(())
}

/// `out`, which neither null nor misaligned is by contract valid for writes.
fn place<T>(out: *mut T, name: &str) -> Result<*mut T, Failure> {
    match out.is_null() || !out.is_aligned() {
        false => Ok(out),
        true => {
            let text = format!("the pointer that receives the {name} is NULL or not aligned");
            Err(Failure::new(OtcoreStatus::BadPointer, text))
        }
    }
}

/// The text that C hands in under this name.
///
/// # Safety
/// `pointer` is null, or valid for reads up to a NUL or to [`LONGEST_TEXT`], and nobody changes
/// what it points to during `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: the same contract.
    unsafe { text_up_to(LONGEST_TEXT, pointer, name) }
}

/// The stored document that C hands in under this name.
///
/// # Safety
/// As for [`text`], up to [`LONGEST_DOCUMENT`].
pub(crate) unsafe fn document<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: the same contract.
    unsafe { text_up_to(LONGEST_DOCUMENT, pointer, name) }
}

/// # Safety
/// As for [`text`], up to `longest`.
unsafe fn text_up_to<'a>(
    longest: usize,
    pointer: *const c_char,
    name: &str,
) -> Result<&'a str, Failure> {
    let bytes = pointer.cast::<u8>();
    if bytes.is_null() {
        return Err(Failure::new(OtcoreStatus::BadPointer, format!("{name} is NULL")));
    }
    // SAFETY: reads no further than the first NUL and the longest text, as the contract allows.
    let length = (0..=longest).find(|&at| unsafe { bytes.add(at).read() } == 0);
    let length = length.ok_or_else(|| {
        let text = format!("{name} is longer than {longest} bytes, or does not end with NUL");
        Failure::new(OtcoreStatus::TooLong, text)
    })?;
    // SAFETY: these bytes were just read, and the contract says that they stay.
    let bytes = unsafe { std::slice::from_raw_parts(bytes, length) };
    std::str::from_utf8(bytes)
        .map_err(|e| Failure::new(OtcoreStatus::BadText, format!("{name} is not UTF-8: {e}")))
}

/// As [`text`], but NULL is none.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    // SAFETY: the same contract.
    (!pointer.is_null()).then(|| unsafe { text(pointer, name) }).transpose()
}

/// The bytes that C hands in under this name.
///
/// # Safety
/// `pointer` is null, or valid for reads of `length` bytes, which nobody changes during `'a`.
pub(crate) unsafe fn bytes<'a>(
    pointer: *const c_void,
    length: usize,
    name: &str,
) -> Result<&'a [u8], Failure> {
    if pointer.is_null() {
        return Err(Failure::new(OtcoreStatus::BadPointer, format!("{name} is NULL")));
    }
    if length > LONGEST_TEXT {
        let text = format!("{name} is longer than {LONGEST_TEXT} bytes");
        return Err(Failure::new(OtcoreStatus::TooLong, text));
    }
    // SAFETY: the same contract.
    Ok(unsafe { std::slice::from_raw_parts(pointer.cast(), length) })
}

/// The packs that a handle stands for; NULL stands for what is compiled in.
pub(crate) fn known(packs: *const OtcorePacks) -> Result<Packs, Failure> {
    Ok(found(packs)?.map(|packs| packs.0.clone()).unwrap_or_default())
}

/// A text of ours, to give away.
pub(crate) fn owned(text: Result<String, otcore::Error>) -> Result<OtcoreText, Failure> {
    let text = CString::new(text?);
    let bytes = text.map_err(|e| Failure::new(OtcoreStatus::Internal, e.to_string()))?;
    Ok(OtcoreText { bytes: OnceLock::from(bytes), tree: Tree::default(), event: None })
}

/// An event, to give away as a text.
pub(crate) fn event_text(event: Event) -> OtcoreText {
    OtcoreText { bytes: OnceLock::new(), tree: Tree::default(), event: Some(event) }
}

/// The bytes of a text. Every event has a form in JSON, which has no NUL.
pub(crate) fn bytes_of(text: &OtcoreText) -> &CStr {
    text.bytes.get_or_init(|| {
        let json = text.event.as_ref().and_then(|event| json(event).ok());
        CString::new(json.unwrap_or_default()).unwrap_or_default()
    })
}

/// The value at a place of a text of JSON.
pub(crate) fn value_of(text: &OtcoreText, pointer: &str) -> Option<String> {
    let quick = text.event.as_ref().and_then(|event| told(event, pointer));
    quick.unwrap_or_else(|| text.tree.value(shown(text), pointer))
}

/// A text of ours, to read.
pub(crate) fn shown(text: &OtcoreText) -> &str {
    bytes_of(text).to_str().unwrap_or_default() // it was made from UTF-8
}

/// How long C wants to wait.
pub(crate) fn waiting(timeout_ms: u32) -> Duration {
    match timeout_ms {
        OTCORE_FOREVER => Duration::MAX,
        milliseconds => Duration::from_millis(milliseconds.into()),
    }
}

/// Whether a callback now gets the events, as an answer to C.
pub(crate) fn watched(accepted: bool) -> Result<(), Failure> {
    let text = "the events of this scan go to a callback already";
    accepted.then_some(()).ok_or_else(|| Failure::new(OtcoreStatus::Watched, text))
}

/// What a mutex holds, even if a panic went through it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What C wants to have handed to its callback.
struct User(*mut c_void);

// SAFETY: it is only handed back; otcore.h says in which threads that happens.
unsafe impl Send for User {}
unsafe impl Sync for User {}

impl User {
    fn pointer(&self) -> *mut c_void {
        self.0
    }
}

/// Hands events to a callback of C.
///
/// # Safety
/// Until it is dropped, `callback` may be called with `user` in any thread, and returns.
pub(crate) unsafe fn told_to(
    callback: OtcoreEventCallback,
    user: *mut c_void,
) -> Result<impl FnMut(Option<&Event>) + Send + 'static, Failure> {
    let none = || Failure::new(OtcoreStatus::BadPointer, "the callback is NULL");
    let (call, user) = (callback.ok_or_else(none)?, User(user));
    Ok(move |event: Option<&Event>| {
        let lend = |event: &Event| table().keep(event_text(event.clone()));
        let lent = match event.map(lend) {
            None => ptr::null_mut(),
            Some(Ok(lent)) => lent,
            Some(Err(_)) => return, // NULL would be the end
        };
        // SAFETY: as the contract says.
        unsafe { call(lent, user.pointer()) };
        let _ = forget(lent); // the callback may have done so
    })
}

/// Hands lines of the log to a callback of C.
///
/// # Safety
/// As for [`told_to`].
pub(crate) unsafe fn lines_to(callback: OtcoreLogCallback, user: *mut c_void) -> Log {
    let Some(call) = callback else { return Log::default() };
    let user = User(user);
    Log::to(move |severity, line| {
        let line = CString::new(line.replace('\0', "?")).unwrap_or_default();
        // SAFETY: as the contract says.
        unsafe { call(severity.into(), line.as_ptr(), user.pointer()) };
    })
}

/// Every handle in use.
struct Table {
    live: BTreeMap<usize, Arc<dyn Any + Send + Sync>>,
    next: usize,
}

static TABLE: Mutex<Table> = Mutex::new(Table { live: BTreeMap::new(), next: 1 });

fn table() -> MutexGuard<'static, Table> {
    lock(&TABLE)
}

impl Table {
    fn keep<T: Handle>(&mut self, value: T) -> Result<*mut T, Failure> {
        let number = self.next;
        let next = number.checked_add(2);
        self.next = next.ok_or_else(|| {
            Failure::new(OtcoreStatus::Internal, "this process has used up its handles")
        })?;
        self.live.insert(number, Arc::new(value));
        Ok(ptr::without_provenance_mut(number))
    }
}

fn bad<T: Handle>(handle: *const T) -> Failure {
    let name = T::NAME;
    let text = match handle.is_null() {
        true => format!("the {name} is NULL"),
        false => format!("this is no {name}, or one that was freed already"),
    };
    Failure::new(OtcoreStatus::BadHandle, text)
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref().map(String::as_str)).unwrap_or("panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Handle for u8 {
        const NAME: &'static str = "number";
    }

    struct Bomb;

    impl Handle for Bomb {
        const NAME: &'static str = "bomb";
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("bang");
        }
    }

    fn told() -> String {
        unsafe { CStr::from_ptr(last_error()) }.to_str().unwrap().to_owned()
    }

    fn made<T: Handle>(value: T) -> *mut T {
        let mut out = ptr::null_mut();
        assert_eq!(guard(|| unsafe { give(&raw mut out, || Ok(value)) }), OtcoreStatus::Ok);
        out
    }

    #[test]
    fn a_panic_ends_at_the_border_and_the_next_call_works() {
        assert_eq!(guard(|| panic!("bang {}", 1)), OtcoreStatus::Panic);
        assert_eq!(told(), "bug in otcore: bang 1");
        let bomb = made(Bomb);
        assert_eq!(guard(|| forget(bomb)), OtcoreStatus::Panic);
        assert_eq!(guard(|| forget(bomb)), OtcoreStatus::BadHandle);
        assert_eq!(guard(|| find(made(7_u8)).map(drop)), OtcoreStatus::Ok);
    }

    #[test]
    fn a_value_freed_while_in_use_lives_until_that_call_returns() {
        let handle = made(7_u8);
        let in_use = find(handle).unwrap();
        assert_eq!(guard(|| forget(handle)), OtcoreStatus::Ok);
        assert_eq!(*in_use, 7);
        assert_eq!(guard(|| find(handle).map(drop)), OtcoreStatus::BadHandle);
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let first = made(7_u8);
        assert_eq!(guard(|| forget(first)), OtcoreStatus::Ok);
        assert_ne!(first.addr(), made(7_u8).addr());
        assert_eq!(first.addr() % 2, 1);
    }

    #[test]
    fn a_result_that_fails_leaves_null_behind() {
        let mut out = made(7_u8);
        let fails = || Err(OtcoreStatus::End.into());
        assert_eq!(guard(|| unsafe { give(&raw mut out, fails) }), OtcoreStatus::End);
        assert!(out.is_null());
    }

    #[test]
    fn an_error_with_a_nul_in_it_is_shown_whole() {
        let failure = || Err(Failure::new(OtcoreStatus::Target, "a\0b"));
        assert_eq!(guard(failure), OtcoreStatus::Target);
        assert_eq!(told(), "a?b");
    }
}
