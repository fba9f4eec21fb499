-- Every table that holds rows of its own, with the query that counts and digests them.
--
-- A column is hashed by its own hash function only where that depends on nothing but the value:
-- enums and reg* types hash by oid, json and geometric types have no hash, and a nondeterministic
-- collation hashes by the library's sort key. All of these are hashed as text. Columns go by name:
-- a table that inherits may have them in another order after a restore.
WITH RECURSIVE tables AS (
    SELECT c.oid, n.nspname, c.relname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r'
      AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema'
      AND n.nspname !~ '^pg_'
      AND NOT EXISTS (
          SELECT FROM pg_depend d
          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
parts (relation, attnum, type) AS (
    SELECT a.attrelid, a.attnum, a.atttypid
    FROM pg_attribute a
    JOIN tables t ON t.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT p.relation, p.attnum, inner_type
    FROM parts p
    JOIN pg_type t ON t.oid = p.type
    CROSS JOIN LATERAL (
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL
        SELECT t.typelem WHERE t.typcategory = 'A'
        UNION ALL
        SELECT r.rngsubtype
        FROM pg_range r
        WHERE t.oid = r.rngtypid OR t.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid
        UNION ALL
        SELECT a.atttypid
        FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) x (inner_type)
),
columns AS (
    SELECT a.attrelid,
           a.attname,
           bool_and(
               t.typtype IN ('d', 'c', 'r', 'm')
               OR t.typcategory = 'A'
               OR t.oid IN (
                   'bool'::regtype, 'bytea'::regtype, '"char"'::regtype, 'name'::regtype,
                   'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype,
                   'float8'::regtype, 'numeric'::regtype, 'text'::regtype, 'varchar'::regtype,
                   'bpchar'::regtype, 'date'::regtype, 'time'::regtype, 'timetz'::regtype,
                   'timestamp'::regtype, 'timestamptz'::regtype, 'interval'::regtype,
                   'uuid'::regtype, 'inet'::regtype, 'cidr'::regtype, 'macaddr'::regtype,
                   'macaddr8'::regtype, 'jsonb'::regtype)
           ) AND coalesce(bool_and(l.collisdeterministic), true) AS plain
    FROM pg_attribute a
    JOIN parts p ON p.relation = a.attrelid AND p.attnum = a.attnum
    JOIN pg_type t ON t.oid = p.type
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    GROUP BY a.attrelid, a.attname
)
SELECT t.nspname AS schema,
       t.relname AS name,
       format(
           'SELECT count(*) AS rows, coalesce(sum(%s), 0)::text AS digest FROM ONLY %I.%I t',
           CASE WHEN current_setting('server_version_num')::int >= 140000
                THEN format('hash_record_extended(ROW(%s), 0)', c.list)
                ELSE format('hashtextextended(ROW(%s)::text, 0)', c.list)
           END,
           t.nspname, t.relname) AS query
FROM tables t
CROSS JOIN LATERAL (
    SELECT coalesce(string_agg(
        format(CASE WHEN plain THEN 't.%I' ELSE 't.%I::text COLLATE "C"' END, attname),
        ', ' ORDER BY attname COLLATE "C"), '') AS list
    FROM columns
    WHERE attrelid = t.oid
) c
ORDER BY t.nspname COLLATE "C", t.relname COLLATE "C"
