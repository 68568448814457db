-- Layout 1. Of a look only one thing ever changes: whether it is needed for what is known now.
CREATE TABLE place (
    id INTEGER PRIMARY KEY,
    zone TEXT NOT NULL,
    address TEXT NOT NULL,
    port INTEGER NOT NULL, -- 0 unless on loopback
    UNIQUE (zone, address, port)
) STRICT;
CREATE TABLE look (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL REFERENCES place (id),
    at INTEGER NOT NULL, -- nanoseconds since 1970
    live INTEGER NOT NULL,
    digest INTEGER NOT NULL -- of all that was seen, so that damage shows
) STRICT;
CREATE INDEX look_by_place ON look (place, at);
CREATE INDEX look_that_counts ON look (place, at) WHERE live = 1;
-- What was asked by whom, written once.
CREATE TABLE question (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    protocol TEXT NOT NULL,
    port INTEGER NOT NULL,
    transport TEXT NOT NULL,
    function TEXT NOT NULL,
    UNIQUE (source, protocol, port, transport, function)
) STRICT;
CREATE TABLE exchange (
    look INTEGER NOT NULL REFERENCES look (id),
    number INTEGER NOT NULL,
    question INTEGER NOT NULL REFERENCES question (id),
    at INTEGER NOT NULL, -- nanoseconds since 1970
    micros INTEGER NOT NULL, -- until the answer
    request BLOB NOT NULL,
    response BLOB NOT NULL,
    PRIMARY KEY (look, number)
) STRICT, WITHOUT ROWID;
-- Outcomes and claims, as JSON.
CREATE TABLE word (
    look INTEGER NOT NULL REFERENCES look (id),
    number INTEGER NOT NULL,
    kind TEXT NOT NULL, -- outcome, claims
    body TEXT NOT NULL,
    PRIMARY KEY (look, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER look_stays BEFORE DELETE ON look
BEGIN SELECT raise(ABORT, 'a look is never deleted'); END;
CREATE TRIGGER look_is_as_it_was BEFORE UPDATE OF id, place, at, digest ON look
BEGIN SELECT raise(ABORT, 'a look is never changed'); END;
CREATE TRIGGER exchange_stays BEFORE DELETE ON exchange
BEGIN SELECT raise(ABORT, 'an exchange is never deleted'); END;
CREATE TRIGGER exchange_is_as_it_was BEFORE UPDATE ON exchange
BEGIN SELECT raise(ABORT, 'an exchange is never changed'); END;
CREATE TRIGGER word_stays BEFORE DELETE ON word
BEGIN SELECT raise(ABORT, 'a word is never deleted'); END;
CREATE TRIGGER word_is_as_it_was BEFORE UPDATE ON word
BEGIN SELECT raise(ABORT, 'a word is never changed'); END;
