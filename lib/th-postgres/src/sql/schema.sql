-- Every object of the schema, with the MD5 of what defines it.
--
-- The server deparses expressions, and what it prints is not what it prints after that was parsed
-- again: casts and parentheses move (`= ANY ((ARRAY['a'::varchar])::text[])` becomes
-- `= ANY (ARRAY[('a'::varchar)::text])`). So casts, parentheses and white space are left out.
-- Grants are expanded, since an explicit default and none are the same.
WITH members AS (
    -- Of an extension, or made by the server for another object, as a range's constructors are.
    SELECT classid, objid
    FROM pg_depend
    WHERE deptype = 'e' OR (deptype = 'i' AND classid = 'pg_proc'::regclass)
),
namespaces AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl
    FROM pg_namespace n
    WHERE n.nspname <> 'information_schema'
      AND n.nspname !~ '^pg_'
      AND NOT EXISTS (
          SELECT FROM members WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
),
relations AS (
    SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema'
      AND n.nspname !~ '^pg_'
      AND c.relpersistence <> 't'
      AND NOT EXISTS (
          SELECT FROM members WHERE classid = 'pg_class'::regclass AND objid = c.oid)
),
functions AS (
    SELECT p.*
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname <> 'information_schema'
      AND n.nspname !~ '^pg_'
      AND NOT EXISTS (
          SELECT FROM members WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
),
types AS (
    SELECT t.*
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r')
      AND n.nspname <> 'information_schema'
      AND n.nspname !~ '^pg_'
      AND NOT EXISTS (
          SELECT FROM members WHERE classid = 'pg_type'::regclass AND objid = t.oid)
),
grants (kind, object, list) AS (
    SELECT kind, object, string_agg(
        concat_ws('/', coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'),
                  a.privilege_type, a.is_grantable),
        ',' ORDER BY coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') COLLATE "C",
                     a.privilege_type, a.is_grantable)
    FROM (
        SELECT 'n', oid, coalesce(nspacl, acldefault('n', nspowner)) FROM namespaces
        UNION ALL
        SELECT 'r', oid, coalesce(relacl, acldefault(
            CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
        FROM relations WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL
        SELECT 'f', oid, coalesce(proacl, acldefault('f', proowner)) FROM functions
        UNION ALL
        SELECT 'T', oid, coalesce(typacl, acldefault('T', typowner)) FROM types
    ) owned (kind, object, acl)
    CROSS JOIN LATERAL aclexplode(acl) a
    GROUP BY kind, object
),
-- What few databases have. The columns that a major version added come along by to_jsonb.
others (class, oid, owner, acl, definition) AS (
    -- Columns in the order of their names: inheritance may change the other.
    SELECT 'pg_publication'::regclass, p.oid, p.pubowner, NULL::aclitem[],
           concat_ws('|', to_jsonb(p) - '{oid,pubname,pubowner}'::text[],
               (SELECT jsonb_agg(
                    to_jsonb(t) - 'attnames' || jsonb_build_object('columns',
                        (SELECT jsonb_agg(c ORDER BY c COLLATE "C")
                         FROM jsonb_array_elements_text(to_jsonb(t) -> 'attnames') c))
                    ORDER BY t.schemaname COLLATE "C", t.tablename COLLATE "C")
                FROM pg_publication_tables t WHERE t.pubname = p.pubname))
    FROM pg_publication p
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, evtowner, NULL,
           concat_ws('|', evtevent, evtfoid::regprocedure, evtenabled, evttags)
    FROM pg_event_trigger
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner,
           coalesce(fdwacl, acldefault('F', fdwowner)),
           concat_ws('|', nullif(fdwhandler, 0)::regproc, nullif(fdwvalidator, 0)::regproc,
               (SELECT string_agg(o, ',' ORDER BY o COLLATE "C") FROM unnest(fdwoptions) o))
    FROM pg_foreign_data_wrapper
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, srvowner, coalesce(srvacl, acldefault('S', srvowner)),
           concat_ws('|', w.fdwname, srvtype, srvversion,
               (SELECT string_agg(o, ',' ORDER BY o COLLATE "C") FROM unnest(srvoptions) o))
    FROM pg_foreign_server s
    JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    UNION ALL
    SELECT 'pg_language'::regclass, oid, lanowner, coalesce(lanacl, acldefault('l', lanowner)),
           concat_ws('|', lanpltrusted, nullif(lanplcallfoid, 0)::regproc,
               nullif(laninline, 0)::regproc, nullif(lanvalidator, 0)::regproc)
    FROM pg_language
    UNION ALL
    SELECT 'pg_cast'::regclass, oid, NULL, NULL,
           concat_ws('|', nullif(castfunc, 0)::regprocedure, castcontext, castmethod)
    FROM pg_cast
    UNION ALL
    SELECT 'pg_transform'::regclass, oid, NULL, NULL,
           concat_ws('|', nullif(trffromsql, 0)::regproc, nullif(trftosql, 0)::regproc)
    FROM pg_transform
    UNION ALL
    SELECT 'pg_am'::regclass, oid, NULL, NULL, concat_ws('|', amtype, amhandler)
    FROM pg_am
    UNION ALL
    SELECT 'pg_conversion'::regclass, oid, conowner, NULL,
           concat_ws('|', conforencoding, contoencoding, conproc, condefault)
    FROM pg_conversion
    UNION ALL
    SELECT 'pg_operator'::regclass, oid, oprowner, NULL,
           concat_ws('|', oprcanmerge, oprcanhash, oprresult::regtype, nullif(oprcom, 0)::regoperator,
               nullif(oprnegate, 0)::regoperator, oprcode, oprrest, oprjoin)
    FROM pg_operator
    UNION ALL
    SELECT 'pg_opclass'::regclass, oid, opcowner, NULL,
           concat_ws('|', opcdefault, opcintype::regtype, nullif(opckeytype, 0)::regtype)
    FROM pg_opclass
    UNION ALL
    SELECT 'pg_opfamily'::regclass, f.oid, opfowner, NULL,
           concat_ws('|',
               (SELECT string_agg(concat_ws('/', amopstrategy, amoppurpose, amopopr::regoperator),
                                  ',' ORDER BY amopstrategy, amopopr::regoperator::text COLLATE "C")
                FROM pg_amop WHERE amopfamily = f.oid),
               (SELECT string_agg(concat_ws('/', amprocnum, amproc::regprocedure),
                                  ',' ORDER BY amprocnum, amproc::regprocedure::text COLLATE "C")
                FROM pg_amproc WHERE amprocfamily = f.oid))
    FROM pg_opfamily f
    UNION ALL
    -- A dump has neither the version of the library nor an encoding.
    SELECT 'pg_collation'::regclass, oid, collowner, NULL,
           (to_jsonb(c) - '{oid,collname,collnamespace,collowner,collencoding,collversion}'::text[])::text
    FROM pg_collation c
    UNION ALL
    SELECT 'pg_ts_config'::regclass, c.oid, cfgowner, NULL,
           concat_ws('|', p.prsname,
               (SELECT string_agg(concat_ws('/', maptokentype, mapdict::regdictionary),
                                  ',' ORDER BY maptokentype, mapseqno)
                FROM pg_ts_config_map WHERE mapcfg = c.oid))
    FROM pg_ts_config c
    JOIN pg_ts_parser p ON p.oid = c.cfgparser
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, d.oid, dictowner, NULL, concat_ws('|', t.tmplname, dictinitoption)
    FROM pg_ts_dict d
    JOIN pg_ts_template t ON t.oid = d.dicttemplate
    UNION ALL
    SELECT 'pg_ts_parser'::regclass, oid, NULL, NULL,
           concat_ws('|', prsstart, prstoken, prsend, prsheadline, prslextype)
    FROM pg_ts_parser
    UNION ALL
    SELECT 'pg_ts_template'::regclass, oid, NULL, NULL, concat_ws('|', tmplinit, tmpllexize)
    FROM pg_ts_template
    UNION ALL
    SELECT 'pg_default_acl'::regclass, oid, NULL, defaclacl, NULL
    FROM pg_default_acl
),
-- What is seldom other than by default.
properties (name, value) AS (
    SELECT r.name || ' replica identity', r.relreplident::text
    FROM relations r
    WHERE r.relkind IN ('r', 'p', 'm') AND r.relreplident <> 'd'
    UNION ALL
    SELECT r.name || '.' || quote_ident(a.attname) || ' storage',
           concat_ws('|', a.attstorage, to_jsonb(a) ->> 'attcompression',
               nullif(to_jsonb(a) ->> 'attstattarget', '-1'),
               (SELECT string_agg(o, ',' ORDER BY o COLLATE "C")
                FROM unnest(a.attoptions) o WHERE o LIKE 'n_distinct%'),
               (SELECT string_agg(o, ',' ORDER BY o COLLATE "C") FROM unnest(a.attfdwoptions) o))
    FROM relations r
    JOIN pg_attribute a ON a.attrelid = r.oid
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE r.relkind IN ('r', 'p', 'm', 'f')
      AND a.attnum > 0
      AND NOT a.attisdropped
      AND (a.attstorage <> t.typstorage
           OR to_jsonb(a) ->> 'attcompression' <> ''
           OR to_jsonb(a) ->> 'attstattarget' <> '-1'
           OR a.attoptions::text LIKE '%n_distinct%'
           OR a.attfdwoptions IS NOT NULL)
    UNION ALL
    SELECT r.name || ' foreign',
           concat_ws('|', s.srvname,
               (SELECT string_agg(o, ',' ORDER BY o COLLATE "C") FROM unnest(f.ftoptions) o))
    FROM relations r
    JOIN pg_foreign_table f ON f.ftrelid = r.oid
    JOIN pg_foreign_server s ON s.oid = f.ftserver
    UNION ALL
    SELECT r.name || ' owned by', i.identity
    FROM relations r
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) i
    WHERE r.relkind = 'S'
    UNION ALL
    SELECT r.name || '.' || quote_ident(w.rulename) || ' enabled', w.ev_enabled::text
    FROM relations r
    JOIN pg_rewrite w ON w.ev_class = r.oid
    WHERE w.rulename <> '_RETURN' AND w.ev_enabled <> 'O'
    UNION ALL
    -- One sum for all: there may be millions.
    SELECT 'large objects',
           sum(hashtextextended(concat_ws('|', l.oid, l.lomowner::regrole,
               (SELECT string_agg(concat_ws('/', nullif(a.grantee, 0)::regrole, a.privilege_type,
                                            a.is_grantable), ','
                                  ORDER BY nullif(a.grantee, 0)::regrole::text COLLATE "C",
                                           a.privilege_type, a.is_grantable)
                FROM aclexplode(coalesce(l.lomacl, acldefault('L', l.lomowner))) a)), 0))::text
    FROM pg_largeobject_metadata l
    HAVING count(*) > 0
),
objects (kind, name, definition) AS (
    SELECT 'schema', quote_ident(n.nspname), concat_ws('|', n.nspowner::regrole, g.list)
    FROM namespaces n
    LEFT JOIN grants g ON g.kind = 'n' AND g.object = n.oid
    UNION ALL
    SELECT CASE r.relkind
               WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' WHEN 'S' THEN 'sequence'
               WHEN 'f' THEN 'foreign_table' WHEN 'c' THEN 'type' ELSE 'table'
           END,
           r.name,
           concat_ws('|', r.relkind, r.relpersistence, r.relowner::regrole,
               (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(r.reloptions) o),
               r.relrowsecurity, r.relforcerowsecurity, r.relispartition,
               CASE WHEN r.relkind <> 'm' OR r.relispopulated THEN 'populated' END,
               pg_get_expr(r.relpartbound, r.oid),
               CASE WHEN r.relkind = 'p' THEN pg_get_partkeydef(r.oid) END,
               (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno)
                FROM pg_inherits i WHERE i.inhrelid = r.oid),
               CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
               (SELECT concat_ws(',', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax,
                                 s.seqmin, s.seqcache, s.seqcycle)
                FROM pg_sequence s WHERE s.seqrelid = r.oid),
               g.list)
    FROM relations r
    LEFT JOIN grants g ON g.kind = 'r' AND g.object = r.oid
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    UNION ALL
    SELECT 'column', r.name || '.' || quote_ident(a.attname),
           concat_ws('|', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               a.attgenerated,
               (SELECT format('%I.%I', n.nspname, l.collname)
                FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                WHERE l.oid = a.attcollation),
               (SELECT pg_get_expr(d.adbin, d.adrelid)
                FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),
               (SELECT string_agg(concat_ws('/', nullif(x.grantee, 0)::regrole, x.privilege_type,
                                            x.is_grantable), ','
                                  ORDER BY nullif(x.grantee, 0)::regrole::text COLLATE "C",
                                           x.privilege_type)
                FROM aclexplode(a.attacl) x))
    FROM pg_attribute a
    JOIN relations r ON r.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT 'constraint', r.name || '.' || quote_ident(c.conname),
           concat_ws('|', pg_get_constraintdef(c.oid), c.convalidated)
    FROM pg_constraint c
    JOIN relations r ON r.oid = c.conrelid
    UNION ALL
    SELECT 'index', r.name, concat_ws('|', pg_get_indexdef(r.oid), i.indisreplident, i.indisclustered)
    FROM relations r
    JOIN pg_index i ON i.indexrelid = r.oid
    UNION ALL
    SELECT CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           f.oid::regprocedure::text,
           concat_ws('|', f.proowner::regrole, g.list,
               CASE WHEN f.prokind IN ('f', 'p', 'w') THEN pg_get_functiondef(f.oid) END,
               CASE WHEN a.aggfnoid IS NOT NULL THEN
                   concat_ws('|', f.proparallel, a.aggkind, a.aggtransfn, a.aggtranstype::regtype,
                       a.agginitval, a.aggfinalfn, a.aggfinalextra, a.aggfinalmodify, a.aggcombinefn,
                       a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn,
                       nullif(a.aggmtranstype, 0)::regtype, a.aggminitval, a.aggmfinalfn,
                       a.aggmfinalextra, a.aggmfinalmodify, nullif(a.aggsortop, 0)::regoperator)
               END)
    FROM functions f
    LEFT JOIN pg_aggregate a ON a.aggfnoid = f.oid
    LEFT JOIN grants g ON g.kind = 'f' AND g.object = f.oid
    UNION ALL
    SELECT 'type', t.oid::regtype::text,
           concat_ws('|', t.typtype, t.typowner::regrole, t.typnotnull, t.typdefault,
               CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
               (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
                FROM pg_enum e WHERE e.enumtypid = t.oid),
               (SELECT string_agg(pg_get_constraintdef(c.oid), ',' ORDER BY c.conname)
                FROM pg_constraint c WHERE c.contypid = t.oid),
               (SELECT r.rngsubtype::regtype::text FROM pg_range r WHERE r.rngtypid = t.oid),
               g.list)
    FROM types t
    LEFT JOIN grants g ON g.kind = 'T' AND g.object = t.oid
    UNION ALL
    SELECT 'trigger', r.name || '.' || quote_ident(t.tgname),
           concat_ws('|', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger t
    JOIN relations r ON r.oid = t.tgrelid
    WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'rule', r.name || '.' || quote_ident(w.rulename), pg_get_ruledef(w.oid)
    FROM pg_rewrite w
    JOIN relations r ON r.oid = w.ev_class
    WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy', r.name || '.' || quote_ident(p.polname),
           concat_ws('|', p.polcmd, p.polpermissive,
               (SELECT string_agg(coalesce(nullif(x, 0)::regrole::text, 'PUBLIC'), ','
                                  ORDER BY nullif(x, 0)::regrole::text COLLATE "C")
                FROM unnest(p.polroles) x),
               pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy p
    JOIN relations r ON r.oid = p.polrelid
    UNION ALL
    SELECT 'statistics', format('%I.%I', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid)
    FROM pg_statistic_ext s
    JOIN namespaces n ON n.oid = s.stxnamespace
    UNION ALL
    SELECT 'comment', i.type || ' ' || i.identity, d.description
    FROM pg_description d
    CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
    WHERE d.objoid >= 16384
      AND i.identity IS NOT NULL
      AND coalesce(i.schema, '') !~ '^(pg_|information_schema$)'
      AND d.classoid <> 'pg_extension'::regclass
      AND NOT EXISTS (
          SELECT FROM members m WHERE m.classid = d.classoid AND m.objid = d.objoid)
    UNION ALL
    SELECT replace(i.type, ' ', '_'), i.identity,
           concat_ws('|', o.owner::regrole, o.definition,
               (SELECT string_agg(concat_ws('/', coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'),
                                            a.privilege_type, a.is_grantable),
                                  ',' ORDER BY coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') COLLATE "C",
                                               a.privilege_type, a.is_grantable)
                FROM aclexplode(o.acl) a))
    FROM others o
    CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) i
    WHERE o.oid >= 16384
      AND coalesce(i.schema, '') !~ '^(pg_|information_schema$)'
      AND NOT EXISTS (SELECT FROM members m WHERE m.classid = o.class AND m.objid = o.oid)
    UNION ALL
    SELECT 'property', name, value
    FROM properties
)
SELECT kind,
       name,
       md5(regexp_replace(
           regexp_replace(
               coalesce(definition, ''),
               '::("[^"]+"|[a-z_]\w*)(\.("[^"]+"|[a-z_]\w*))?( varying| precision)?(\([0-9, ]+\))?( with(out)? time zone)?(\[\])*',
               '', 'g'),
           '[()\s]', '', 'g')) AS md5
FROM objects
ORDER BY kind COLLATE "C", name COLLATE "C", 3
