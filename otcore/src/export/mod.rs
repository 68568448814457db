//! Inventories that travel.
