-- All large objects. Trailing zeros of a page do not count, nor do pages of zeros: a sparse object
-- has no such pages, its restored copy does.
SELECT (SELECT count(*) FROM pg_largeobject_metadata) AS count,
       coalesce(sum(hashtextextended(
           loid::text || ':' || pageno::text || ':' || encode(data, 'hex'), 0)), 0)::text AS digest
FROM (
    SELECT loid, pageno, trim(TRAILING '\x00'::bytea FROM data) AS data
    FROM pg_largeobject
) pages
WHERE data <> ''
