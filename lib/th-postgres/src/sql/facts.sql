-- What a new database must be made with to take this one's place: all of it is in catalogs that the
-- whole server shares. Columns that came or went between server versions are read through JSON.
SELECT d.datname AS name,
       pg_get_userbyid(d.datdba) AS owner,
       current_setting('server_version') AS server_version,
       current_setting('server_version_num')::int AS server_version_num,
       pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collate,
       d.datctype AS ctype,
       CASE j ->> 'datlocprovider'
           WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc'
       END AS locale_provider,
       coalesce(j ->> 'datlocale', j ->> 'daticulocale') AS icu_locale,
       j ->> 'daticurules' AS icu_rules,
       j ->> 'datcollversion' AS collation_version,
       (SELECT nullif(t.spcname, 'pg_default') FROM pg_tablespace t
        WHERE t.oid = d.dattablespace) AS tablespace,
       d.datconnlimit AS connection_limit,
       shobj_description(d.oid, 'pg_database') AS comment,
       coalesce(pg_database_size(d.oid), 0) AS size_bytes,
       coalesce((
           SELECT json_agg(json_build_object(
               'role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END,
               'name', split_part(c, '=', 1),
               'value', substr(c, strpos(c, '=') + 1)))
           FROM pg_db_role_setting s
           CROSS JOIN LATERAL unnest(s.setconfig) c
           WHERE s.setdatabase = d.oid), '[]') AS settings,
       CASE WHEN d.datacl IS NOT NULL THEN coalesce((
           SELECT json_agg(json_build_object(
               'role', CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END,
               'privilege', a.privilege_type,
               'grantable', a.is_grantable))
           FROM aclexplode(d.datacl) a), '[]') END AS grants,
       (SELECT coalesce(json_agg(DISTINCT r.rolname), '[]')
        FROM pg_roles r
        WHERE r.oid = d.datdba
           OR r.oid IN (SELECT s.refobjid FROM pg_shdepend s
                        WHERE s.dbid = d.oid AND s.refclassid = 'pg_authid'::regclass)) AS roles
FROM pg_database d
CROSS JOIN LATERAL to_jsonb(d) j
