//! What a device is made of: its objects, its network port, its tables.

use super::device::Device;
use super::{Line, Talk};
use crate::protocol::Request;
use crate::protocols::bacnet::{
    Bacnet, Function, ObjectId, Property, Read, ReadBroadcastTable, ReadForeignTable, ReadSeveral,
    Value, WILDCARD, refusal,
};
use crate::session::ProbeError;

/// The type of a network port, and the revision of the standard that it came with.
const NETWORK_PORT: u16 = 56;
const FIRST_WITH_PORTS: u64 = 17;
/// Questions that are left for who else is there: two calls, and two tables.
const RESERVE: u32 = 4;
/// Elements in one question.
const CHUNK: u32 = 8;

impl<'a> Talk<'a, '_> {
    /// Everything that a device tells without being called: who runs out of questions does without
    /// the rest.
    pub(super) async fn structure(
        &mut self,
        line: &mut Line<'a>,
        device: &Device,
    ) -> Result<(), ProbeError> {
        if !device.several {
            let rest = [
                Function::ReadProtocolRevision,
                Function::ReadProfileName,
                Function::ReadDeviceUuid,
            ];
            for function in rest {
                self.spare(line, &Read::of(function, device.instance)).await?;
            }
        }
        let objects = self.objects(line, device).await?;
        self.network_port(line, device, &objects).await?;
        if self.host.consents_to("bbmd") {
            self.table(line, &ReadBroadcastTable).await?;
            self.table(line, &ReadForeignTable).await?;
        }
        Ok(())
    }

    /// How many objects it has, and what the first of them are: as many as there are questions for,
    /// and never the whole list in one answer.
    async fn objects(
        &mut self,
        line: &mut Line<'a>,
        device: &Device,
    ) -> Result<Vec<ObjectId>, ProbeError> {
        let mut seen = Vec::new();
        let (function, instance) = (Function::ReadObjectCount, device.instance);
        let count = Read { function, instance, element: Some(0) };
        let Some(Value::Unsigned(count)) = self.spare(line, &count).await? else { return Ok(seen) };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut next = 1;
        while device.several && next <= count && line.questions_left() > RESERVE + 1 {
            let last = count.min(next.saturating_add(CHUNK - 1));
            let (function, elements) = (Function::ReadObjects, Some(next..=last));
            let some = ReadSeveral { function, instance, elements };
            match line.ask(&some, self.found).await {
                Ok(properties) => seen.extend(properties.iter().filter_map(object)),
                Err(ProbeError::Refused { code, busy: false }) if refusal::is_of_device(code) => {
                    return Ok(seen);
                }
                Err(error) => return Err(error),
            }
            next = last.saturating_add(1);
        }
        while !device.several && next <= count && line.questions_left() > RESERVE {
            let one = Read { function: Function::ReadObject, instance, element: Some(next) };
            match self.read(line, &one).await? {
                Some(Value::Object(object)) => seen.push(object),
                _ => return Ok(seen),
            }
            next = next.saturating_add(1);
        }
        Ok(seen)
    }

    /// The port that the questions come in by: by the number that every port answers to, else by that
    /// of the first that was seen.
    async fn network_port(
        &mut self,
        line: &mut Line<'a>,
        device: &Device,
        objects: &[ObjectId],
    ) -> Result<(), ProbeError> {
        let seen = objects.iter().find(|object| object.kind == NETWORK_PORT);
        if !device.several || (device.revision < FIRST_WITH_PORTS && seen.is_none()) {
            return Ok(());
        }
        let numbers = [Some(WILDCARD), seen.map(|object| object.instance)];
        for instance in numbers.into_iter().flatten() {
            if line.questions_left() < RESERVE {
                return Ok(());
            }
            let port = ReadSeveral::of(Function::ReadNetworkPort, instance);
            match line.ask(&port, self.found).await {
                Ok(properties) if properties.iter().any(|one| one.found.is_ok()) => return Ok(()),
                Ok(_) => {}
                Err(ProbeError::Refused { code, busy: false }) if refusal::is_of_device(code) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A table that most devices say they do not keep.
    async fn table<R: Request<Bacnet>>(
        &mut self,
        line: &mut Line<'a>,
        table: &R,
    ) -> Result<(), ProbeError> {
        if line.questions_left() == 0 {
            return Ok(());
        }
        match line.ask(table, self.found).await {
            Ok(_) | Err(ProbeError::Refused { busy: false, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A property for which no other question has to stand back.
    async fn spare(
        &mut self,
        line: &mut Line<'a>,
        read: &Read,
    ) -> Result<Option<Value>, ProbeError> {
        match line.questions_left() > RESERVE {
            true => self.read(line, read).await,
            false => Ok(None),
        }
    }
}

fn object(property: &Property) -> Option<ObjectId> {
    match &property.found {
        Ok(Value::Object(object)) => Some(*object),
        _ => None,
    }
}
