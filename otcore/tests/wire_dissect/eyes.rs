//! How tshark looks at each protocol.

use otcore::model::Transport;

use crate::dissect::{Fields, bytes, number};

/// How tshark looks at one protocol.
pub(crate) struct Eye {
    pub(crate) protocol: &'static str,
    /// What it takes our ports for.
    pub(crate) decode_as: &'static str,
    /// What it may end up with.
    pub(crate) protocols: &'static [&'static str],
    /// What it knows of a question.
    pub(crate) fields: &'static [&'static str],
    /// The selector as it reads it; it takes some questions apart less far than the manifest does.
    pub(crate) selector: fn(&Fields<'_>) -> Vec<u8>,
    /// Whether our own bytes begin with the selector, behind so many bytes of header.
    pub(crate) begins_after: Option<usize>,
}

pub(crate) const EYES: &[Eye] = &[
    Eye {
        protocol: "modbus",
        decode_as: "mbtcp",
        protocols: &[":mbtcp:modbus"],
        fields: &[
            "modbus.func_code",
            "modbus.mei",
            "modbus.read_device_id",
            "modbus.reference_num",
            "modbus.word_cnt",
        ],
        selector: |fields| {
            let bytes = ["modbus.func_code", "modbus.mei", "modbus.read_device_id"];
            let words = ["modbus.reference_num", "modbus.word_cnt"];
            [fields.bytes(&bytes), fields.words(&words)].concat()
        },
        begins_after: Some(7),
    },
    Eye {
        protocol: "s7",
        decode_as: "tpkt",
        protocols: &[":tpkt:cotp", ":tpkt:cotp:s7comm"],
        fields: &[
            "cotp.dst-tsap-bytes",
            "s7comm.header.rosctr",
            "s7comm.param.func",
            "s7comm.param.userdata.reqres1",
            "s7comm.param.userdata.type",
            "s7comm.param.userdata.funcgroup",
            "s7comm.param.userdata.subfunc",
            "s7comm.data.userdata.szl_id",
            "s7comm.data.userdata.szl_index",
        ],
        selector: |fields| {
            let called = bytes(fields.text("cotp.dst-tsap-bytes"));
            if let [kind, _place] = called[..] {
                return vec![0xE0, kind]; // only a connection request has an address
            }
            let head =
                ["s7comm.header.rosctr", "s7comm.param.func", "s7comm.param.userdata.reqres1"];
            let group = ["s7comm.param.userdata.type", "s7comm.param.userdata.funcgroup"];
            let group = match fields.bytes(&group)[..] {
                [kind, group] => vec![kind << 4 | group],
                _ => Vec::new(),
            };
            let list = ["s7comm.data.userdata.szl_id", "s7comm.data.userdata.szl_index"];
            let function = fields.bytes(&["s7comm.param.userdata.subfunc"]);
            [fields.bytes(&head), group, function, fields.words(&list)].concat()
        },
        begins_after: None,
    },
    Eye {
        protocol: "enip",
        decode_as: "enip",
        protocols: &[
            ":enip",
            ":enip:cip",
            ":enip:cip:cipcm",
            ":enip:cip:cipcm:cip",
            ":enip:cip:cipcls",
        ],
        fields: &["enip.command", "cip.sc", "cip.class", "cip.instance", "cip.attribute"],
        selector: |fields| {
            // Of an Unconnected Send it names the service, and those of the request inside.
            let all = |field| -> Vec<u8> {
                let texts = fields.text(field).split(',').filter(|text| !text.is_empty());
                texts.map(number).map(|number| u8::try_from(number).unwrap()).collect()
            };
            let (class, instance) = (all("cip.class"), all("cip.instance"));
            let mut selector = fields.bytes(&["enip.command"]);
            for (nth, service) in all("cip.sc").into_iter().enumerate() {
                selector.extend([service, class[nth], instance[nth]]);
            }
            selector.extend(all("cip.attribute"));
            selector
        },
        begins_after: None,
    },
    Eye {
        protocol: "bacnet",
        decode_as: "bvlc",
        protocols: &[":bvlc", ":bvlc:bacnet", ":bvlc:bacnet:bacapp"],
        fields: &[
            "bvlc.function",
            "bacnet.control",
            "bacnet.mesgtyp",
            "bacapp.type",
            "bacapp.confirmed_service",
            "bacapp.unconfirmed_service",
            "bacapp.objectType",
            "bacapp.property_identifier",
        ],
        selector: |fields| {
            let mut selector = fields.bytes(&["bvlc.function"]);
            // That a reply is expected follows from the kind of question.
            selector.extend(fields.bytes(&["bacnet.control"]).iter().map(|control| control & !4));
            selector.extend(fields.bytes(&["bacnet.mesgtyp"]));
            selector.extend(fields.bytes(&["bacapp.type"]).iter().map(|kind| kind << 4));
            let service = ["bacapp.confirmed_service", "bacapp.unconfirmed_service"];
            selector.extend(fields.bytes(&service));
            selector.extend(fields.bytes(&["bacapp.objectType"]));
            let properties = fields.text("bacapp.property_identifier").split(',');
            let mut properties: Vec<u16> =
                properties.filter(|text| !text.is_empty()).map(number).collect();
            // It names the list, but not which of its elements: of several each time.
            const LIST: u16 = 76;
            properties.dedup_by(|one, other| [&*one, &*other] == [&LIST, &LIST]);
            let counts = fields.text("udp.payload").ends_with("194c2900");
            let element = if counts { 0x4000 } else { 0x8000 };
            let words =
                properties.iter().map(|one| if *one == LIST { one | element } else { *one });
            selector.extend(words.flat_map(u16::to_be_bytes));
            selector
        },
        begins_after: None,
    },
    Eye {
        protocol: "dnp3",
        decode_as: "dnp3",
        protocols: &[":dnp3"],
        fields: &[
            "dnp3.ctl.prifunc",
            "dnp3.al.func",
            "dnp3.al.obj",
            "dnp3.al.objq.prefix",
            "dnp3.al.objq.range",
        ],
        selector: |fields| {
            let qualifier = ["dnp3.al.objq.prefix", "dnp3.al.objq.range"];
            let qualifier = match fields.bytes(&qualifier)[..] {
                [prefix, range] => vec![prefix << 4 | range],
                _ => Vec::new(),
            };
            let functions = fields.bytes(&["dnp3.ctl.prifunc", "dnp3.al.func"]);
            [functions, fields.words(&["dnp3.al.obj"]), qualifier].concat()
        },
        begins_after: None,
    },
];

impl Eye {
    pub(crate) fn takes(&self, carrier: Transport) -> bool {
        otcore::protocols::by_name(self.protocol).unwrap().carriers().contains(&carrier)
    }
}

pub(crate) fn eye_on(protocol: &str) -> &'static Eye {
    EYES.iter().find(|eye| eye.protocol == protocol).unwrap()
}
