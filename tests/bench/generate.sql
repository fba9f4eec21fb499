-- A plausible database for measurements: psql -v scale=1 -f generate.sql EMPTY_DATABASE
--
-- scale=1 is about 1 GB as a plain pg_dump, scale=0.01 about 10 MB. The same scale on the same
-- PostgreSQL version gives the same rows. The mix of random ids, measured values, prose and JSON,
-- with articles of a catalogue that recur, compresses as business data does: gzip leaves about a third.

\set ON_ERROR_STOP on
\set QUIET on
\if :{?scale} \else \set scale 1 \endif

set synchronous_commit = off;
set maintenance_work_mem = '256MB';
set timezone = 'UTC';
set search_path = public, pg_temp;

select greatest(1, 2000 * :scale)::int as organisations,
       greatest(1, 85000 * :scale)::int as users,
       greatest(1, 360000 * :scale)::int as shipments,
       greatest(1, 2500000 * :scale)::int as events,
       greatest(1, 240000 * :scale)::int as documents \gset

-- Helpers, gone with the session.

create function pg_temp.id(kind text, i bigint) returns uuid language sql stable
  return md5(kind || i)::uuid;

create function pg_temp.pick(of text[]) returns text language sql volatile
  return of[1 + floor(random() * array_length(of, 1))::int];

create function pg_temp.upto(n int) returns int language sql volatile
  return 1 + floor(random() * n)::int;

-- The n-th of m rows spread over three years, with a day's jitter.
create function pg_temp.moment(n bigint, m bigint) returns timestamptz language sql volatile
  return timestamptz '2023-01-02 06:00+00' + n::float8 / m * interval '1090 days' + random() * interval '1 day';

-- Words of fixed width (name, not text), because they are found by position without a walk; the
-- product of two random numbers makes the first ones common, as in any language.
create function pg_temp.word() returns text language sql volatile return
  (string_to_array(
    'the and of to a in was is for on at with by not from has be as it this delivery truck '
    'driver pallet customs container port warehouse arrived delayed loaded cargo seal broken '
    'inspection signed customer requested address changed unloaded dock waiting weather storm '
    'traffic border paperwork missing invoice copy stamped temperature reefer alarm reset '
    'checked twice fragile damaged box corner wet photo attached see note below call before '
    'arrival gate closed after hours night shift forklift broke replacement ordered left '
    'right side rear door open lock number plate carrier agreed new slot tomorrow morning '
    'afternoon Monday Thursday rail terminal crane repair vessel berth anchorage pilot tide '
    'Hamburg Rotterdam Antwerp Gdynia Genoa Valencia Piraeus Felixstowe Bremen consignee '
    'refused partial accepted remark CMR signed, photographed, weighed, rejected. released. '
    'returned. insured value claim opened surveyor report expected within days hazard class '
    'label UN code lithium battery flammable liquid separate stowage required stacked over '
    'height limit exceeded bridge detour motorway accident police escort permit renewed quota '
    'licence origin certificate phytosanitary veterinary sample taken laboratory result '
    'pending cleared. demurrage charged free time ended shuttle transfer hub cross-docked '
    'consolidated groupage part load full length trailer curtain tarpaulin torn strap tension '
    'blocking bracing dunnage airbag scale ticket gross tare net kilogram litre drum IBC '
    'pallets exchanged owed returned empties cleaning steam wash document previous product '
    'manifest telephone operator confirmed estimated revised route planner satellite position '
    'lost regained fuel stop rest period tachograph handover colleague relief keys office '
    'reception badge visitor supplier buyer agent broker forwarder shipper invoice, credit, '
    'discount, surcharge, approved. disputed. paid. quality hold batch expiry shelf life '
    'rotation counted short surplus recount matched. adjusted.', ' ')::name[]
  )[1 + floor(random() * random() * 271)::int]::text;

create function pg_temp.prose(words int) returns text language sql volatile return (
  select string_agg(pg_temp.word(), ' ') from generate_series(1, words)
);

select setseed(0.42) as seed \gset

create type shipment_status as enum ('draft', 'booked', 'in_transit', 'customs', 'delivered', 'cancelled');

create table organisations (
  id uuid not null,
  name text not null,
  slug text not null,
  country char(2) not null,
  vat_number text,
  settings jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table users (
  id uuid not null,
  organisation_id uuid not null,
  email text not null,
  full_name text not null,
  password_hash text not null,
  role text not null default 'member' check (role in ('owner', 'admin', 'member', 'guest')),
  preferences jsonb not null default '{}',
  last_login_at timestamptz,
  created_at timestamptz not null default now()
);

create table shipments (
  id uuid not null,
  organisation_id uuid not null,
  created_by uuid not null,
  reference text not null,
  status shipment_status not null default 'draft',
  origin text not null,
  destination text not null,
  weight_kg numeric(10, 3) not null check (weight_kg > 0),
  items jsonb not null default '[]',
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table events (
  id bigint generated by default as identity,
  shipment_id uuid not null,
  kind text not null,
  occurred_at timestamptz not null,
  latitude double precision,
  longitude double precision,
  payload jsonb not null default '{}'
);

create table documents (
  id uuid not null,
  shipment_id uuid not null,
  uploaded_by uuid,
  path text not null,
  media_type text not null,
  size_bytes bigint not null,
  sha256 bytea not null,
  content text,
  created_at timestamptz not null default now()
);

insert into organisations
select pg_temp.id('organisation', i),
       initcap(pg_temp.word() || ' ' || pg_temp.word()) || ' ' || pg_temp.pick('{Logistics,Freight,GmbH,Trading,"& Sons",AG,Ltd,BV}'),
       'org-' || i,
       pg_temp.pick('{DE,NL,PL,FR,IT,ES,GB,BE,DK,SE}'),
       pg_temp.pick('{DE,NL,PL,FR}') || (random() * 1e9)::bigint,
       jsonb_build_object('locale', pg_temp.pick('{de,en,nl,pl}'), 'webhook_secret', md5(random()::text),
         'limits', jsonb_build_object('users', pg_temp.upto(500), 'storage_mb', pg_temp.upto(90000))),
       pg_temp.moment(i, :organisations)
from generate_series(1, :organisations) i;

insert into users
select pg_temp.id('user', i),
       pg_temp.id('organisation', pg_temp.upto(:organisations)),
       substr(md5(i::text), 1, pg_temp.upto(6) + 4) || i || '@' || pg_temp.pick('{example.com,example.org,mail.example,post.example}'),
       pg_temp.pick('{Anna,Jonas,Maria,Piotr,Sofie,Luca,Emma,Noah,Elif,Jan,Ines,Omar,Chloé,Søren,Zoë,Ivan}') || ' ' ||
         pg_temp.pick('{Müller,Nowak,Jansen,Rossi,García,Dubois,Smith,Peeters,Hansen,Kowalska,Öztürk,Costa}'),
       '$argon2id$v=19$m=65536,t=3,p=4$' || translate(encode(decode(md5(random()::text), 'hex'), 'base64'), '=', '') || '$' ||
         translate(encode(sha256(i::text::bytea), 'base64'), '=', ''),
       pg_temp.pick('{owner,admin,member,member,member,guest}'),
       jsonb_build_object('theme', pg_temp.pick('{light,dark,system}'), 'page_size', pg_temp.upto(10) * 10,
         'columns', jsonb_build_array('reference', 'status', pg_temp.pick('{origin,weight,carrier}')), 'token', md5(random()::text)),
       pg_temp.moment(pg_temp.upto(:users), :users),
       pg_temp.moment(i, :users)
from generate_series(1, :users) i;

insert into shipments
select pg_temp.id('shipment', i),
       pg_temp.id('organisation', pg_temp.upto(:organisations)),
       pg_temp.id('user', pg_temp.upto(:users)),
       'TH-' || upper(substr(md5('reference' || i), 1, 12)),
       pg_temp.pick('{draft,booked,in_transit,customs,delivered,delivered,delivered,delivered,cancelled}')::shipment_status,
       initcap(pg_temp.word() || ' ' || pg_temp.word()) || ' ' || pg_temp.upto(240) || ', ' || pg_temp.upto(89999) + 10000,
       initcap(pg_temp.word() || ' ' || pg_temp.word()) || ' ' || pg_temp.upto(240) || ', ' || pg_temp.upto(89999) + 10000,
       (0.1 + random() * 24000)::numeric(10, 3),
       (select jsonb_agg(jsonb_build_object('sku', substr(md5(pg_temp.upto(4000) || 'sku'), 1, 10), 'quantity', pg_temp.upto(400),
          'value', round((random() * 5000)::numeric, 2), 'hs_code', pg_temp.upto(899999) + 100000))
        from generate_series(1, 1 + i % 4) k),
       case when i % 5 > 0 then pg_temp.prose(pg_temp.upto(40)) end,
       pg_temp.moment(i, :shipments),
       pg_temp.moment(i, :shipments) + random() * interval '20 days'
from generate_series(1, :shipments) i;

-- Events follow their shipments in time and on disk, about seven to each.
insert into events (shipment_id, kind, occurred_at, latitude, longitude, payload)
select pg_temp.id('shipment', 1 + (i - 1) * :shipments::bigint / :events),
       pg_temp.pick('{position,position,position,position,scanned,loaded,unloaded,temperature,customs,note}'),
       pg_temp.moment(i, :events),
       round((36 + random() * 24)::numeric, 6),
       round((-9 + random() * 34)::numeric, 6),
       jsonb_build_object('device', substr(md5((i % 9000)::text), 1, 12), 'speed', round((random() * 90)::numeric, 1),
         'battery', pg_temp.upto(100), 'sequence', i, 'note', pg_temp.word() || ' ' || pg_temp.word())
from generate_series(1, :events) i;

insert into documents
select pg_temp.id('document', i),
       pg_temp.id('shipment', 1 + (i - 1) * :shipments::bigint / :documents),
       case when i % 9 > 0 then pg_temp.id('user', pg_temp.upto(:users)) end,
       to_char(pg_temp.moment(i, :documents), 'YYYY/MM/') || pg_temp.id('file', i) || ('{.pdf,.jpg,.pdf,.xml,.pdf}'::text[])[1 + i % 5],
       ('{application/pdf,image/jpeg,application/pdf,application/xml,application/pdf}'::text[])[1 + i % 5],
       pg_temp.upto(4000000),
       sha256(i::text::bytea),
       case when i % 3 > 0 then pg_temp.prose(pg_temp.upto(pg_temp.upto(800))) end,
       pg_temp.moment(i, :documents)
from generate_series(1, :documents) i;

alter table organisations add primary key (id), add unique (slug);
alter table users add primary key (id), add unique (email);
alter table shipments add primary key (id), add unique (reference);
alter table events add primary key (id);
alter table documents add primary key (id), add unique (path);

create index on users (organisation_id);
create index on shipments (organisation_id, created_at desc);
create index on shipments (created_by);
create index on shipments (created_at) where status not in ('delivered', 'cancelled');
create index on shipments using gin (items jsonb_path_ops);
create index on events (shipment_id, occurred_at);
create index on events using brin (occurred_at);
create index on documents (shipment_id);
create index on documents (uploaded_by);

alter table users add foreign key (organisation_id) references organisations;
alter table shipments add foreign key (organisation_id) references organisations,
  add foreign key (created_by) references users;
alter table events add foreign key (shipment_id) references shipments on delete cascade;
alter table documents add foreign key (shipment_id) references shipments on delete cascade,
  add foreign key (uploaded_by) references users on delete set null;

create view open_shipments as
  select s.id, s.reference, s.status, o.name as organisation, count(e.id) as events
  from shipments s join organisations o on o.id = s.organisation_id left join events e on e.shipment_id = s.id
  where s.status not in ('delivered', 'cancelled')
  group by s.id, o.name;

analyze;
