-- Persons, clients, sessions, documents.
--
-- Every table with a client's data has client_id, its foreign keys carry it,
-- and its row-level security is forced.  Policies ask portal.client_ids(),
-- which knows nothing but the hash of the session's token.

-- A new identifier that sorts by time and cannot be guessed: UUID version 7
-- (RFC 9562, 5.7), 12 bits of the microsecond in place of rand_a.
create function portal.uuid_v7() returns uuid
language plpgsql volatile set search_path = portal, pg_temp
as $$
declare
  us bigint := extract(epoch from clock_timestamp()) * 1000000;
  low integer := (us % 1000) * 4096 / 1000;
  b bytea := substring(int8send(us / 1000) from 3) || substring(uuid_send(gen_random_uuid()) from 7);
begin
  b := set_byte(set_byte(b, 6, 112 | (low >> 8)), 7, low & 255);
  return encode(b, 'hex')::uuid;
end
$$;

set local role portal_owner;

-- What the keyed hashes of this database are made with; made here, never shown.
create table portal.secret (
  name         text primary key,
  value        bytea not null check (length(value) = 32)
);

insert into portal.secret
select n, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
from unnest(array['attempt', 'salt']) n;

-- Somebody who signs in.
create table portal.person (
  id           uuid primary key default gen_random_uuid(),
  email        text not null check (length(email) between 3 and 254),
  email_key    text not null unique,
  name         text not null check (length(name) between 1 and 200),
  kind         text not null check (kind in ('client', 'staff')),
  locale       text not null default 'fr' check (locale ~ '^[a-z]{2}$'),
  time_zone    text not null default 'Europe/Paris',
  theme        text not null default 'auto' check (theme in ('auto', 'light', 'dark')),
  disabled_at  timestamptz,
  created_at   timestamptz not null default now(),
  initials     text not null default '',
  avatar       smallint not null default 1,
  unique (id, kind)
);

create table portal.staff (
  person_id    uuid primary key,
  kind         text not null default 'staff' check (kind = 'staff'),
  role         text not null check (role in ('admin', 'manager', 'collaborator')),
  title        text not null default '',
  phone        text not null default '',
  foreign key (person_id, kind) references portal.person (id, kind)
);

-- A customer of the company.
create table portal.client (
  id           uuid primary key default gen_random_uuid(),
  number       text not null unique check (number ~ '^[A-Za-z0-9._-]{1,32}$'),
  slug         text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
  name         text not null check (length(name) between 1 and 200),
  contact_id   uuid references portal.staff (person_id),
  quota_files  integer not null default 10000,
  quota_bytes  bigint not null default 5368709120,
  used_files   integer not null default 0,
  used_bytes   bigint not null default 0,
  created_at   timestamptz not null default now(),
  closed_at    timestamptz
);

-- Which person may act for which client, and as what.  active: neither ended
-- nor the client closed; a trigger keeps it.
create table portal.membership (
  person_id    uuid not null,
  client_id    uuid not null references portal.client (id),
  kind         text not null default 'client' check (kind = 'client'),
  preset       text not null default 'owner'
               check (preset in ('owner', 'accountant', 'technical', 'decision', 'reader')),
  created_at   timestamptz not null default now(),
  ended_at     timestamptz,
  active       boolean not null default true,
  primary key (person_id, client_id),
  foreign key (person_id, kind) references portal.person (id, kind)
);

create index membership_client on portal.membership (client_id);

-- The clients of a collaborator; managers and admins have all.
create table portal.portfolio (
  person_id    uuid not null references portal.staff (person_id),
  client_id    uuid not null references portal.client (id),
  primary key (person_id, client_id)
);

create index portfolio_client on portal.portfolio (client_id);

-- verifier = SHA-256 of argon2id(password, salt, ops, mem_kib).
create table portal.credential (
  person_id    uuid primary key references portal.person (id),
  ops          integer not null,
  mem_kib      integer not null,
  salt         bytea not null check (length(salt) = 16),
  verifier     bytea not null check (length(verifier) = 32),
  updated_at   timestamptz not null default now()
);

create table portal.session (
  id           uuid primary key default gen_random_uuid(),
  token_hash   bytea not null unique check (length(token_hash) = 32),
  person_id    uuid not null references portal.person (id),
  idle         integer not null,
  absolute_end timestamptz not null,
  last_seen    timestamptz not null default now(),
  created_at   timestamptz not null default now(),
  ip           text not null default '',
  agent        text not null default ''
) with (fillfactor = 70);

create index session_person on portal.session (person_id, created_at);
create index session_end on portal.session (absolute_end);

-- A browser in which somebody signed in before: strangers cannot lock it out.
create table portal.device (
  token_hash   bytea primary key check (length(token_hash) = 32),
  person_id    uuid not null references portal.person (id),
  created_at   timestamptz not null default now(),
  last_seen    timestamptz not null default now()
);

create index device_person on portal.device (person_id, last_seen);

-- A sign-in between its start and its finish; account NULL: unknown address.
create table portal.attempt (
  id           uuid primary key default gen_random_uuid(),
  email_hash   bytea not null,
  person_id    uuid,
  blocked      boolean not null,
  account_key  bytea not null,
  network_key  bytea,
  created_at   timestamptz not null default now()
);

create index attempt_created on portal.attempt (created_at);

-- Failures by keyed hash of an address, a device or a network.
create table portal.limiter (
  key          bytea primary key,
  failures     integer not null default 0,
  counted      integer not null default 0,
  since        timestamptz not null default now(),
  until        timestamptz
);

create index limiter_since on portal.limiter (since);

create table portal.category (
  slug         text primary key check (slug ~ '^[a-z0-9-]{1,40}$'),
  label_fr     text not null,
  label_en     text not null,
  position     smallint not null,
  retention    interval
);

-- One version of a document: what is written here never changes but for its
-- state; the file is in the store under the hash.
create table portal.document (
  id           uuid primary key default portal.uuid_v7(),
  client_id    uuid not null references portal.client (id),
  category     text not null references portal.category (slug),
  title        text not null check (length(title) between 1 and 300),
  name         text not null check (length(name) between 1 and 255),
  hash         bytea not null check (length(hash) = 32),
  size         bigint not null check (size > 0),
  mime         text not null,
  kind         text not null,
  inline       boolean not null default false,
  date         date not null default current_date,
  deposited    boolean not null default false,
  author_id    uuid references portal.person (id),
  author       text not null default '',
  published_at timestamptz not null default now(),
  accepted_at  timestamptz,
  withdrawn_at timestamptz,
  deleted_at   timestamptz,
  replaced_by  uuid,
  title_key    text not null default '',
  live         boolean generated always as (withdrawn_at is null and deleted_at is null and replaced_by is null) stored,
  unique (client_id, id),
  foreign key (client_id, replaced_by) references portal.document (client_id, id)
);

create index document_date on portal.document (client_id, date desc, id desc) where live;
create index document_category on portal.document (client_id, category desc, date desc, id desc) where live;
create index document_title on portal.document (client_id, title_key, id) where live;
create index document_category_title on portal.document (client_id, category, title_key, id) where live;
create index document_published on portal.document (client_id, published_at desc) where live and not deposited;
create index document_hash on portal.document (hash);

-- How many live documents a client has, by year and category: kept by a
-- trigger, so that a page of a client with 50,000 documents counts nothing.
-- ahead: until then some of them may not be published yet.
create table portal.document_count (
  client_id    uuid not null references portal.client (id),
  year         smallint not null,
  category     text not null references portal.category (slug),
  n            integer not null,
  ahead        timestamptz not null,
  primary key (client_id, year, category)
) with (fillfactor = 70);

-- The first opening of a document by a session, written with its grant.
create table portal.opening (
  document_id  uuid not null,
  person_id    uuid not null references portal.person (id),
  session_id   uuid not null,
  client_id    uuid not null,
  opened_at    timestamptz not null default now(),
  primary key (document_id, person_id, session_id),
  foreign key (client_id, document_id) references portal.document (client_id, id)
);

create index opening_client on portal.opening (client_id, document_id);

-- What a search looks through: narrow, one row a live document.
create table portal.search (
  document_id  uuid primary key,
  client_id    uuid not null,
  category     text not null,
  date         date not null,
  stems        tsvector not null,
  foreign key (client_id, document_id) references portal.document (client_id, id) on update cascade
);

create index search_client on portal.search (client_id, date desc);
create index search_stems on portal.search using gin (stems);

-- Append-only: who did what, written in the transaction of the act.
create table portal.audit (
  id           bigint generated always as identity primary key,
  at           timestamptz not null default clock_timestamp(),
  action       text not null,
  result       text not null default 'ok',
  person_id    uuid,
  session_id   uuid,
  client_id    uuid,
  object_id    uuid,
  detail       text not null default '',
  ip           text not null default '',
  request      text not null default ''
);

create index audit_client on portal.audit (client_id, id desc);
create index audit_person on portal.audit (person_id, id desc);

-- The pages: name, who may see it, and the function that makes it.
create table portal.page (
  name            text primary key check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  access          text not null check (access in ('public', 'any', 'client', 'staff', 'admin')),
  client_function text,
  staff_function  text,
  needs_client    boolean not null,
  shows           text references portal.page (name),
  site            boolean not null default false,
  check (client_function is not null or staff_function is not null)
);

-- The session's clients.  The gate's own file gives it a body; until then,
-- and should that ever be missing, it knows of none.
create function portal.client_ids() returns uuid[]
language plpgsql stable set search_path = portal, pg_temp
as $$ begin return '{}'; end $$;

create function portal.person_id() returns uuid
language plpgsql stable set search_path = portal, pg_temp
as $$ begin return null; end $$;

do $$
declare
  t text;
  r text;
begin
  foreach t in array array['person', 'staff', 'client', 'membership', 'portfolio', 'credential', 'session', 'device',
                           'attempt', 'limiter', 'document', 'document_count', 'opening', 'search', 'audit', 'secret']
  loop
    execute format('alter table portal.%I enable row level security', t);
    execute format('alter table portal.%I force row level security', t);
  end loop;

  -- the gate reads who is who, and nobody else does
  foreach t in array array['person', 'staff', 'client', 'membership', 'portfolio', 'credential', 'session', 'device',
                           'attempt', 'limiter', 'document_count', 'audit', 'secret']
  loop
    execute format('create policy gate on portal.%I to portal_gate using (true) with check (true)', t);
  end loop;

  -- a client's data: for each role the session's clients, and nothing else
  foreach r in array array['client', 'staff', 'job']
  loop
    foreach t in array array['document', 'document_count', 'opening']
    loop
      execute format('create policy as_%s on portal.%I to portal_as_%s '
                     'using (client_id = any ((select portal.client_ids())::uuid[])) '
                     'with check (client_id = any ((select portal.client_ids())::uuid[]))', r, t, r);
    end loop;

    execute format('create policy as_%s on portal.client to portal_as_%s '
                   'using (id = any ((select portal.client_ids())::uuid[])) '
                   'with check (id = any ((select portal.client_ids())::uuid[]))', r, r);
  end loop;

  foreach t in array array['document', 'opening']
  loop
    execute format('create policy gate on portal.%I to portal_gate '
                   'using (client_id = any ((select portal.client_ids())::uuid[])) '
                   'with check (client_id = any ((select portal.client_ids())::uuid[]))', t);
  end loop;
end
$$;

create policy finder on portal.search to portal_index using (true) with check (true);

grant select on portal.person, portal.staff, portal.client, portal.membership, portal.portfolio, portal.credential,
  portal.secret, portal.category, portal.page, portal.document, portal.opening to portal_gate;
grant select, insert, update, delete on portal.session, portal.device, portal.attempt, portal.limiter, portal.document_count
  to portal_gate;
grant insert on portal.opening, portal.audit to portal_gate;
grant update (ops, mem_kib, salt, verifier, updated_at) on portal.credential to portal_gate;
grant update (locale, theme) on portal.person to portal_gate;
grant update (used_files, used_bytes) on portal.client to portal_gate;
grant update (active) on portal.membership to portal_gate;

grant select on portal.category to portal_as_client, portal_as_staff, portal_as_job, portal_index;
grant select on portal.client, portal.document, portal.document_count, portal.opening
  to portal_as_client, portal_as_staff, portal_as_job;
grant insert, update (deleted_at) on portal.document to portal_as_client;
grant select, insert, update, delete on portal.search to portal_index;

grant select, insert, update, delete on all tables in schema portal to portal_admin;
revoke update, delete on portal.audit from portal_admin;
