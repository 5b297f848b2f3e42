-- What the warehouse knows of itself; the tables of facts come from the records (tables.py).
CREATE SCHEMA facts;

CREATE TABLE facts.layout (version VARCHAR);

CREATE TABLE facts.ingested_parts (
    table_name VARCHAR,
    part VARCHAR,
    size BIGINT,
    mtime_ns BIGINT,
    rows BIGINT
);
