-- The gate of the database: who asks, for which client, which page.
--
-- Every function here is applied again at each upgrade.  Those that the
-- workers call are portal.session, call, file_grant, upload_check, touch,
-- sign_out (and sign_in_start, sign_in_finish of sign_in.sql).
--
-- The setting portal.session holds the hash of the session's token, in hex:
-- SQL that can call set_config() still cannot become somebody else, since it
-- would have to know a token.  All settings are local to the transaction and
-- every call sets every one of them.

-- Accents and case do not count.  Immutable: the dictionary is named.
create or replace function portal.plain(t text) returns text
language plpgsql immutable strict parallel safe set search_path = portal, pg_temp
as $$
begin
  return lower(portal_ext.unaccent('portal_ext.unaccent'::regdictionary, t));
end
$$;

-- An address as it is compared: ASCII lower case, nothing else is folded.
create or replace function portal.email_key(email text) returns text
language plpgsql immutable strict parallel safe set search_path = portal, pg_temp
as $$
begin
  return translate(btrim(email), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
end
$$;

-- A keyed hash of this database (HMAC's nesting over SHA-256).
create or replace function portal.keyed(purpose text, t text) returns bytea
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  k bytea;
begin
  select s.value into strict k from portal.secret s where s.name = keyed.purpose;
  return sha256(k || sha256(k || convert_to(t, 'UTF8')));
end
$$;
alter function portal.keyed(text, text) owner to portal_gate;

-- Initials for a picture of somebody: of the first and the last word.
create or replace function portal.initials(name text) returns text
language plpgsql immutable strict parallel safe set search_path = portal, pg_temp
as $$
declare
  w text[] := regexp_split_to_array(btrim(name), '[\s''’-]+');
begin
  if cardinality(w) < 2 then
    return upper(left(btrim(name), 2));
  end if;
  return upper(left(w[1], 1) || left(w[cardinality(w)], 1));
end
$$;

-- A colour of a picture: 1 to 5, always the same for the same id.
create or replace function portal.avatar(id uuid) returns integer
language plpgsql immutable strict parallel safe set search_path = portal, pg_temp
as $$
begin
  return 1 + get_byte(uuid_send(id), 15) % 5;
end
$$;

-- Phone number as a link: digits and a leading plus.
create or replace function portal.phone_href(phone text) returns text
language plpgsql immutable strict parallel safe set search_path = portal, pg_temp
as $$
begin
  return 'tel:' || regexp_replace(phone, '[^0-9+]', '', 'g');
end
$$;

-- A time where the reader is, as pages read it: YYYY-MM-DDTHH:MI:SS.
create or replace function portal.local_time(t timestamptz) returns text
language plpgsql stable strict set search_path = portal, pg_temp
as $$
begin
  return to_char(t, 'YYYY-MM-DD"T"HH24:MI:SS');
end
$$;

-- A UUID of a request, or none: never an error.
create or replace function portal.uuid_or_null(t text) returns uuid
language plpgsql immutable strict parallel safe set search_path = portal, pg_temp
as $$
begin
  if t ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return t::uuid;
  end if;
  return null;
end
$$;

do $$
begin
  if to_regtype('portal.identity') is null then
    create type portal.identity as (
      session_id uuid, person_id uuid, kind text, role text, name text, email text, locale text, theme text,
      time_zone text, created_at timestamptz, initials text, avatar smallint, clients uuid[]);
    alter type portal.identity owner to portal_owner;
  end if;
end
$$;

-- Sets every identity setting of the transaction and says who it is: all
-- NULL for a token that is no live session's, or none.
create or replace function portal.identify(token bytea) returns portal.identity
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  who portal.identity;
  set text;
begin
  if token is not null then
    select s.id, p.id, p.kind, coalesce(f.role, 'client'), p.name, p.email, p.locale, p.theme, p.time_zone, s.created_at,
           p.initials, p.avatar,
           array(select m.client_id from portal.membership m where m.person_id = p.id and m.active)
    into who
    from portal.session s
    join portal.person p on p.id = s.person_id
    left join portal.staff f on f.person_id = p.id
    where s.token_hash = token
      and s.absolute_end > now()
      and s.last_seen + make_interval(secs => s.idle) > now()
      and p.disabled_at is null
      and (p.kind = 'client' or f.role is not null);
  end if;

  -- an assignment, not a statement: PostgreSQL runs it without a plan
  set := concat(set_config('portal.session', case when who.session_id is null then '' else encode(token, 'hex') end, true),
                set_config('portal.client', '', true),
                set_config('portal.location', '', true),
                set_config('portal.flash', '', true),
                set_config('portal.ip', '', true),
                set_config('portal.request', '', true),
                set_config('portal.unread', '', true),
                set_config('portal.locale', coalesce(who.locale, ''), true));

  if who.time_zone is not null then
    set := set_config('TimeZone', who.time_zone, true);
  end if;

  return who;
end
$$;
alter function portal.identify(bytea) owner to portal_gate;

-- The person of this session, read by the hash of its token; NULL: nobody.
create or replace function portal.person_id() returns uuid
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  t text := current_setting('portal.session', true);
  p uuid;
begin
  if t is null or t = '' then
    return null;
  end if;

  select s.person_id into p from portal.session s where s.token_hash = decode(t, 'hex');
  return p;
end
$$;
alter function portal.person_id() owner to portal_gate;

-- The clients that this session may see: those of its person's memberships,
-- of its portfolio, or all for managers and admins.  Where the request is
-- about one client, that one or none.  This is what the policies ask.
create or replace function portal.client_ids() returns uuid[]
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  c uuid := nullif(current_setting('portal.client', true), '')::uuid;
  ids uuid[];
  p uuid;
  r text;
begin
  -- the one client of the page, of a client's person: every statement of a
  -- page pays for this one
  if c is not null then
    ids := array(select m.client_id
                 from portal.session s join portal.membership m on m.person_id = s.person_id
                 where s.token_hash = decode(current_setting('portal.session', true), 'hex')
                   and m.client_id = c and m.active);

    if ids <> '{}' then
      return ids;
    end if;
  end if;

  select s.person_id, f.role into p, r
  from portal.session s
  left join portal.staff f on f.person_id = s.person_id
  where s.token_hash = decode(current_setting('portal.session', true), 'hex');

  if p is null then
    return '{}';
  elsif c is not null then
    return case when r is not null and portal.may_see(p, r, c) then array[c] else '{}' end;
  elsif r is null then
    return array(select m.client_id from portal.membership m where m.person_id = p and m.active);
  elsif r = 'collaborator' then
    return array(select o.client_id from portal.portfolio o where o.person_id = p);
  elsif r in ('manager', 'admin') then
    return array(select k.id from portal.client k);
  end if;

  return '{}';
end
$$;
alter function portal.client_ids() owner to portal_gate;

-- May this person (role NULL: not of the staff) see this client?
create or replace function portal.may_see(person uuid, role text, client uuid) returns boolean
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
begin
  if role is null then
    return exists (select from portal.membership m
                   where m.person_id = may_see.person and m.client_id = may_see.client and m.active);
  elsif role = 'collaborator' then
    return exists (select from portal.portfolio o
                   where o.person_id = may_see.person and o.client_id = may_see.client);
  elsif role in ('manager', 'admin') then
    return exists (select from portal.client k where k.id = may_see.client);
  end if;

  return false;
end
$$;
alter function portal.may_see(uuid, text, uuid) owner to portal_gate;

-- The client that the request is about, as the gate has found it; NULL:
-- none.  Every query of a page names it.
create or replace function portal.client() returns uuid
language plpgsql stable set search_path = portal, pg_temp
as $$
begin
  return nullif(current_setting('portal.client', true), '')::uuid;
end
$$;

-- Its slug, for links; of the session's clients only.
create or replace function portal.client_slug(id uuid) returns text
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  s text;
begin
  select k.slug into s from portal.client k
  where k.id = client_slug.id and k.id = any ((select portal.client_ids())::uuid[]);
  return s;
end
$$;
alter function portal.client_slug(uuid) owner to portal_gate;

-- What the person may do for the client of the request: 'reader' may read.
create or replace function portal.preset() returns text
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
begin
  return (select m.preset
          from portal.session s join portal.membership m on m.person_id = s.person_id
          where s.token_hash = decode(current_setting('portal.session', true), 'hex')
            and m.client_id = nullif(current_setting('portal.client', true), '')::uuid and m.active);
end
$$;
alter function portal.preset() owner to portal_gate;

-- The language of the person of this session; 'fr' for nobody.
create or replace function portal.locale() returns text
language plpgsql stable set search_path = portal, pg_temp
as $$
begin
  return coalesce(nullif(current_setting('portal.locale', true), ''), 'fr');
end
$$;

-- The name of the person of this session.
create or replace function portal.person_name() returns text
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  n text;
begin
  select p.name into n from portal.person p where p.id = portal.person_id();
  return coalesce(n, '');
end
$$;
alter function portal.person_name() owner to portal_gate;

-- An act, in its own transaction.  Who, from where and for whom come from
-- the settings; a page says what and on which object.
create or replace function portal.audit_add(action text, object uuid default null, detail text default '',
                                            result text default 'ok', client uuid default null)
returns void
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  t text := current_setting('portal.session', true);
  s uuid;
  p uuid;
begin
  if t <> '' then
    select x.id, x.person_id into s, p from portal.session x where x.token_hash = decode(t, 'hex');
  end if;

  insert into portal.audit (action, result, person_id, session_id, client_id, object_id, detail, ip, request)
  values (audit_add.action, audit_add.result, p, s,
          coalesce(audit_add.client, nullif(current_setting('portal.client', true), '')::uuid),
          audit_add.object, left(audit_add.detail, 500),
          coalesce(current_setting('portal.ip', true), ''), coalesce(current_setting('portal.request', true), ''));
end
$$;
alter function portal.audit_add(text, uuid, text, text, uuid) owner to portal_gate;

-- What a page answers instead of a body: see-other to a path below the
-- portal ("~" in front: not below the client's) with a message's key.
create or replace function portal.redirect(location text, flash text default '') returns json
language plpgsql volatile set search_path = portal, pg_temp
as $$
begin
  perform set_config('portal.location', location, true), set_config('portal.flash', flash, true);
  return null;
end
$$;

-- How a page refuses: HTTP status 400 to 599, and for 422 the fields' errors.
create or replace function portal.refuse(status integer, errors json default null) returns json
language plpgsql volatile set search_path = portal, pg_temp
as $$
begin
  raise exception using errcode = 'PT' || status, message = coalesce(errors::text, 'refused');
end
$$;

-- Registers a page: what the SQL file that defines it calls.  The functions
-- (NAME(json) returns json, of schema portal or portal_site) get the owner
-- under whose policies they run; "gate" is for pages about the session
-- itself, which touch no client's data.
--
--   access   public, any, client, staff, admin: the stricter of this and of
--            the configuration's line holds
--   client   function for a client's person;  staff: for one of the staff
--   owner    NULL: portal_as_client and portal_as_staff; or portal_gate
--   shows    for a page that writes: the page shown again, with what was
--            typed, where it answers 422
create or replace function portal.page(name text, access text, client text default null, staff text default null,
                                       needs_client boolean default true, shows text default null,
                                       owner text default null)
returns void
language plpgsql volatile set search_path = portal, pg_temp
as $$
declare
  fn text;
  target text;
begin
  foreach fn in array array[client, staff]
  loop
    continue when fn is null;

    if fn !~ '^(portal|portal_site)\.[a-z][a-z0-9_]*$' or to_regprocedure(fn || '(json)') is null then
      raise exception 'page %: there is no function %(json)', name, fn;
    end if;

    target := coalesce(owner, case when fn = client then 'portal_as_client' else 'portal_as_staff' end);

    execute format('alter function %s(json) security definer', fn);
    execute format('alter function %s(json) set search_path = %s', fn,
                   case when fn like 'portal\_site.%' then 'portal_site, portal, pg_temp' else 'portal, pg_temp' end);
    execute format('alter function %s(json) owner to %I', fn, target);
    execute format('revoke all on function %s(json) from public', fn);
    execute format('grant execute on function %s(json) to portal_gate', fn);
  end loop;

  insert into portal.page as p (name, access, client_function, staff_function, needs_client, shows, site)
  values (page.name, page.access, page.client, page.staff, page.needs_client, page.shows,
          coalesce(client, '') like 'portal\_site.%' or coalesce(staff, '') like 'portal\_site.%')
  on conflict on constraint page_pkey do update
  set access = excluded.access, client_function = excluded.client_function, staff_function = excluded.staff_function,
      needs_client = excluded.needs_client, shows = excluded.shows, site = excluded.site
  -- what a site has put in place of ours stays when ours is applied again
  where excluded.site or not p.site;

  -- from a function's name to its call, without dynamic SQL at request time
  select string_agg(distinct format('if fn = %L then return %s(r); end if;', x.f, x.f), E'\n  ') into target
  from portal.page p, lateral (values (p.client_function), (p.staff_function)) x (f)
  where x.f is not null;

  execute format('create or replace function portal.dispatch(fn text, r json) returns json '
                 'language plpgsql volatile set search_path = portal, pg_temp as %L',
                 E'\nbegin\n  ' || target || E'\n  raise exception ''no such page function'';\nend\n');
  execute 'alter function portal.dispatch(text, json) owner to portal_gate';
end
$$;

-- The client of a request: the one that the URL names, or the only one of
-- the person.  NULL: there is none, or it is not this session's to see.
create or replace function portal.resolve_client(who portal.identity, slug text, out id uuid, out several boolean)
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
begin
  if slug is null then
    several := who.kind = 'staff' or cardinality(who.clients) > 1;
    id := case when not several then who.clients[1] end;
    return;
  end if;

  several := false;
  select k.id into id from portal.client k where k.slug = resolve_client.slug;

  -- an absent one costs what somebody else's does
  if who.kind = 'staff'
     and not portal.may_see(who.person_id, who.role, coalesce(id, '00000000-0000-0000-0000-000000000000'))
     or who.kind = 'client' and not coalesce(id = any (who.clients), false)
  then
    id := null;
  end if;
end
$$;
alter function portal.resolve_client(portal.identity, text) owner to portal_gate;

-- Documents of the client that are new to the person: of the latest 50 of
-- two months, so that it costs the same for everybody.
create or replace function portal.unread(person uuid, client uuid) returns integer
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  n integer;
begin
  select count(*) into n
  from (select d.id from portal.document d
        where d.client_id = unread.client and d.live and not d.deposited
          and d.published_at > now() - interval '60 days' and d.published_at <= now()
        order by d.published_at desc limit 50) d
  where not exists (select from portal.opening o where o.document_id = d.id and o.person_id = unread.person);
  return n;
end
$$;
alter function portal.unread(uuid, uuid) owner to portal_gate;

-- What stands around every page: person, client, contact, counts.
create or replace function portal.shell(who portal.identity, client uuid) returns json
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  k record;
  mine boolean := who.kind = 'client';
  unread integer := 0;
begin
  select c.name, c.slug, c.number, p.name as contact, p.initials, p.avatar, f.title, f.phone,
         (select m.preset from portal.membership m
          where m.person_id = who.person_id and m.client_id = c.id and m.active) as preset
  into k
  from (select shell.client as id) x
  left join portal.client c on c.id = x.id
  left join portal.staff f on f.person_id = c.contact_id
  left join portal.person p on p.id = f.person_id and p.disabled_at is null;

  if mine and client is not null then
    -- a page that has counted them says so
    unread := coalesce(nullif(current_setting('portal.unread', true), '')::integer,
                       portal.unread(who.person_id, client));
  end if;

  return json_build_object(
    'person', json_build_object('name', who.name, 'email', who.email, 'kind', who.kind,
                                'initials', who.initials, 'avatar', who.avatar),
    'client', case when client is not null then
                json_build_object('name', k.name, 'slug', k.slug, 'number', k.number) end,
    'several', not mine or array_remove(who.clients, client) <> '{}',
    'unread', json_build_object('documents', unread),
    'contact', case when mine and k.contact is not null then
                 json_build_object('name', k.contact, 'initials', k.initials, 'avatar', k.avatar, 'title', k.title, 'phone', k.phone,
                                   'phone_href', portal.phone_href(k.phone)) end,
    'deposit', mine and coalesce(k.preset, 'reader') <> 'reader',
    'theme', who.theme,
    'today', current_date);
end
$$;
alter function portal.shell(portal.identity, uuid) owner to portal_gate;

-- One page, one call.
--
--   p_token    SHA-256 of the session's token, NULL: anonymous
--   p_page     name of the page; p_method GET (and HEAD) or another
--   p_client   slug that the URL names, or NULL
--   p_request  {"path","query","form","files","ip","agent","id","html"}
--   p_nonce    is repeated, so that no answer reaches another request
--
-- The body of 200 and 422 is the page's JSON as the template reads it; a
-- redirect is 303 with a location.  Refusals are told by status alone:
-- somebody else's object is as absent as one that never was.
create or replace function portal.call(p_token bytea, p_page text, p_method text, p_client text, p_request json,
                                       p_nonce text)
returns table (nonce text, status integer, location text, flash text, body json, errors json, shell json)
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  who portal.identity;
  reg portal.page;
  fn text;
  again text;
  cid uuid;
  several boolean;
  found_client record;
  claimed text;
  state text;
  message text;
  set text;
begin
  nonce := p_nonce;
  who := portal.identify(p_token);

  set := concat(set_config('portal.ip', coalesce(left(p_request ->> 'ip', 64), ''), true),
                set_config('portal.request', coalesce(left(p_request ->> 'id', 64), ''), true));

  select * into reg from portal.page x where x.name = p_page;

  status := case
    when reg.name is null then 404
    when reg.access <> 'public' and who.session_id is null then 401
    when reg.access = 'client' and who.kind <> 'client' then 403
    when reg.access in ('staff', 'admin') and who.kind <> 'staff' then 403
    when reg.access = 'admin' and who.role <> 'admin' then 403
  end;

  fn := case when who.kind = 'staff' then reg.staff_function else reg.client_function end;

  if status is null and fn is null then
    status := 403;
  end if;

  if status is null and who.session_id is not null then
    found_client := portal.resolve_client(who, p_client);
    cid := found_client.id;
    several := found_client.several;

    claimed := case when p_method <> 'GET' then p_request -> 'form' ->> 'client' end;

    if cid is null and reg.needs_client and p_client is null and several and p_method = 'GET' then
      -- which of their companies is meant is theirs to say
      location := '~clients';
      status := 303;
    elsif cid is null and (reg.needs_client or p_client is not null) then
      status := 404;
    elsif claimed is not null and claimed is distinct from portal.client_slug(cid) then
      -- the form was opened at another client: nothing is written
      status := 409;
    end if;
  end if;

  if status is not null then
    if status <> 401 and status <> 303 then
      perform portal.audit_add('refused', null, p_method || ' ' || p_page, status::text, cid);
    end if;
    return next;
    return;
  end if;

  set := set_config('portal.client', coalesce(cid::text, ''), true);

  begin
    if p_method = 'GET' then
      -- ends with this block, so that a refusal can be kept
      set := set_config('transaction_read_only', 'on', true);
    end if;

    body := portal.dispatch(fn, p_request);
    status := 200;

    location := nullif(current_setting('portal.location', true), '');

    if location is not null then
      status := 303;
      flash := nullif(current_setting('portal.flash', true), '');
      body := null;
    elsif body is null then
      status := 404;
    end if;
  exception when others then
    get stacked diagnostics state = returned_sqlstate, message = message_text;

    status := case
      when state ~ '^PT[45][0-9][0-9]$' then right(state, 3)::integer
      when left(state, 2) = '22' then 400
      when state in ('23505', '23P01') then 409
      when state in ('23503', '23514') then 422
    end;

    if status is null then
      raise;
    end if;

    body := null;
    location := null;

    if status = 422 then
      errors := case when state = 'PT422' and left(message, 1) = '{' then message::json
                     else json_build_object('form', 'form.refused') end;
    end if;
  end;

  if status = 422 and reg.shows is not null and coalesce(p_request ->> 'html', 'true') = 'true' then
    select case when who.kind = 'staff' then x.staff_function else x.client_function end, reg.site or x.site
    into again, reg.site
    from portal.page x where x.name = reg.shows;

    -- should even that page not be had, the errors are told all the same
    begin
      body := portal.dispatch(again, p_request);
    exception when others then
      body := null;
    end;
  end if;

  if status >= 400 and status <> 422 then
    perform portal.audit_add('refused', portal.uuid_or_null(p_request -> 'path' ->> 'id'),
                             p_method || ' ' || p_page, status::text);
  end if;

  if body is not null and coalesce(p_request ->> 'html', 'true') = 'true' and who.session_id is not null then
    shell := portal.shell(who, cid);
  end if;

  if reg.site then
    -- what a function of the site may leave behind on the connection is
    -- cleaned by the worker, which sees this mark
    set := set_config('application_name', left(current_setting('application_name'), 60) || '!', false);
  end if;

  return next;
end
$$;
alter function portal.call(bytea, text, text, text, json, text) owner to portal_gate;

-- May this session read this file?  The first opening of a document by a
-- session is written here, in the same transaction.
create or replace function portal.file_grant(p_token bytea, p_client text, p_document uuid, p_nonce text,
                                             p_ip text, p_request text)
returns table (nonce text, status integer, session uuid, person uuid, client_id uuid, document uuid, hash text,
               size bigint, type text, name text, mtime bigint, inline boolean)
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  who portal.identity;
  cid uuid;
  ids uuid[];
  d record;
begin
  nonce := p_nonce;
  who := portal.identify(p_token);

  perform set_config('portal.ip', coalesce(left(p_ip, 64), ''), true),
          set_config('portal.request', coalesce(left(p_request, 64), ''), true);

  if who.session_id is null then
    status := 401;
    return next;
    return;
  end if;

  if p_client is not null then
    select r.id into cid from portal.resolve_client(who, p_client) r;
    ids := case when cid is null then '{}' else array[cid] end;
  else
    ids := portal.client_ids();
  end if;

  select x.id, x.client_id, x.hash, x.size, x.mime, x.name, x.inline, x.published_at into d
  from portal.document x
  where x.id = p_document and x.client_id = any (ids)
    and x.withdrawn_at is null and x.deleted_at is null and x.published_at <= now();

  if d.id is null then
    perform portal.audit_add('refused', p_document, 'file', '404', cid);
    status := 404;
    return next;
    return;
  end if;

  insert into portal.opening (document_id, person_id, session_id, client_id)
  values (d.id, who.person_id, who.session_id, d.client_id)
  on conflict do nothing;

  if found then
    perform portal.audit_add('document.opened', d.id, '', 'ok', d.client_id);
  end if;

  status := 200;
  session := who.session_id;
  person := who.person_id;
  client_id := d.client_id;
  document := d.id;
  hash := encode(d.hash, 'hex');
  size := d.size;
  type := d.mime;
  name := d.name;
  mtime := extract(epoch from date_trunc('second', d.published_at))::bigint;
  inline := d.inline;
  return next;
end
$$;
alter function portal.file_grant(bytea, text, uuid, text, text, text) owner to portal_gate;

-- After a gap in the notifications a worker asks again about a download
-- that is on its way: is this session still alive and its document still
-- to be seen by it?
create or replace function portal.still_granted(p_session uuid, p_document uuid) returns boolean
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  token bytea;
  who portal.identity;
begin
  select s.token_hash into token from portal.session s where s.id = p_session;
  who := portal.identify(token);

  return who.session_id is not null
         and exists (select from portal.document d
                     where d.id = p_document and d.client_id = any (portal.client_ids())
                       and d.withdrawn_at is null and d.deleted_at is null and d.published_at <= now());
end
$$;
alter function portal.still_granted(uuid, uuid) owner to portal_gate;

-- Before an upload's body is read: may this person deposit for this client,
-- and is there room?  bytes 0: the length is not known yet.
create or replace function portal.upload_check(p_token bytea, p_client text, p_bytes bigint, p_nonce text)
returns table (nonce text, status integer)
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  who portal.identity;
  cid uuid;
begin
  nonce := p_nonce;
  who := portal.identify(p_token);

  if who.session_id is null then
    status := 401;
    return next;
    return;
  end if;

  select r.id into cid from portal.resolve_client(who, p_client) r;

  if cid is null then
    status := 404;
  elsif who.kind <> 'client' then
    status := 403;
  else
    perform set_config('portal.client', cid::text, true);

    status := case
      when portal.preset() = 'reader' then 403
      when exists (select from portal.client k where k.id = cid
                   and (k.used_files >= k.quota_files or k.used_bytes + greatest(p_bytes, 0) > k.quota_bytes))
      then 507
      else 200
    end;
  end if;

  if status <> 200 then
    perform portal.audit_add('refused', null, 'upload', status::text, cid);
  end if;

  return next;
end
$$;
alter function portal.upload_check(bytea, text, bigint, text) owner to portal_gate;

-- Takes room of the request's client, or refuses: 422 with the field's error.
create or replace function portal.quota_take(files integer, bytes bigint) returns void
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
begin
  update portal.client k
  set used_files = greatest(k.used_files + files, 0), used_bytes = greatest(k.used_bytes + bytes, 0)
  where k.id = nullif(current_setting('portal.client', true), '')::uuid
    and k.id = any ((select portal.client_ids())::uuid[])
    and k.used_files + files <= k.quota_files and k.used_bytes + bytes <= k.quota_bytes;

  if not found then
    perform portal.refuse(422, '{"files":"files.quota"}');
  end if;
end
$$;
alter function portal.quota_take(integer, bigint) owner to portal_gate;

-- The session that a token is: one row, or none.  Seconds left as
-- PostgreSQL's clock has them.
create or replace function portal.session(p_token bytea, p_nonce text)
returns table (nonce text, session uuid, person uuid, kind text, role text, locale text, theme text,
               idle_left integer, absolute_left integer)
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
begin
  return query
  select p_nonce, s.id, p.id, p.kind, coalesce(f.role, 'client'), p.locale, p.theme,
         ceil(extract(epoch from s.last_seen - now()) + s.idle)::integer,
         ceil(extract(epoch from s.absolute_end - now()))::integer
  from portal.session s
  join portal.person p on p.id = s.person_id
  left join portal.staff f on f.person_id = p.id
  where s.token_hash = p_token
    and s.absolute_end > now()
    and s.last_seen + make_interval(secs => s.idle) > now()
    and p.disabled_at is null
    and (p.kind = 'client' or f.role is not null);
end
$$;
alter function portal.session(bytea, text) owner to portal_gate;

-- These sessions were seen since the worker told us last.
create or replace function portal.touch(p_tokens bytea[]) returns integer
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  n integer;
begin
  update portal.session s set last_seen = now()
  where s.token_hash = any (p_tokens)
    and s.absolute_end > now()
    and s.last_seen + make_interval(secs => s.idle) + interval '90 seconds' > now();
  get diagnostics n = row_count;

  -- what has ended by itself goes, a few at a time
  delete from portal.session s
  where s.id in (select x.id from portal.session x
                 where x.absolute_end < now() - interval '1 day' limit 100);
  return n;
end
$$;
alter function portal.touch(bytea[]) owner to portal_gate;

-- What the worker itself has refused to a session: kept like any refusal.
create or replace function portal.refused(p_token bytea, p_what text, p_status text, p_ip text, p_request text)
returns boolean
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  who portal.identity;
  set text;
begin
  who := portal.identify(p_token);

  if who.session_id is null then
    return false;
  end if;

  set := concat(set_config('portal.ip', coalesce(left(p_ip, 64), ''), true),
                set_config('portal.request', coalesce(left(p_request, 64), ''), true));
  perform portal.audit_add('refused', null, left(p_what, 200), left(p_status, 3));
  return true;
end
$$;
alter function portal.refused(bytea, text, text, text, text) owner to portal_gate;

-- Ends the session of this token, or all of its person's; no session is no
-- error.
create or replace function portal.sign_out(p_token bytea, p_everywhere boolean) returns boolean
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  who portal.identity;
begin
  who := portal.identify(p_token);

  if who.session_id is not null then
    perform portal.audit_add(case when p_everywhere then 'sign_out.everywhere' else 'sign_out' end);
  end if;

  delete from portal.session s
  where s.token_hash = p_token or (p_everywhere and s.person_id = who.person_id);
  return who.session_id is not null;
end
$$;
alter function portal.sign_out(bytea, boolean) owner to portal_gate;

-- Where a right is taken away, the workers of every host hear of it with the
-- commit.  Only there: a NOTIFY in every write would cost two thirds of the
-- throughput.
create or replace function portal.notify_right() returns trigger
language plpgsql volatile set search_path = portal, pg_temp
as $$
declare
  r record := case when tg_op = 'DELETE' then old else new end;
begin
  case tg_table_name
    when 'session' then perform pg_notify('portal', 'session:' || old.id);
    when 'person' then perform pg_notify('portal', 'person:' || old.id);
    when 'client' then perform pg_notify('portal', 'client:' || old.id);
    when 'document' then perform pg_notify('portal', 'document:' || old.id);
    else perform pg_notify('portal', 'person:' || r.person_id);
  end case;
  return null;
end
$$;
alter function portal.notify_right() owner to portal_gate;

create or replace trigger notify_right after delete on portal.session
  for each row execute function portal.notify_right();
create or replace trigger notify_right after update of disabled_at, kind on portal.person
  for each row when (old.disabled_at is distinct from new.disabled_at or old.kind is distinct from new.kind)
  execute function portal.notify_right();
create or replace trigger notify_right after update or delete on portal.membership
  for each row execute function portal.notify_right();
create or replace trigger notify_right after update or delete on portal.portfolio
  for each row execute function portal.notify_right();
create or replace trigger notify_right after update or delete on portal.staff
  for each row execute function portal.notify_right();
create or replace trigger notify_right after update of closed_at on portal.client
  for each row when (old.closed_at is distinct from new.closed_at) execute function portal.notify_right();
create or replace trigger notify_right after delete or update of withdrawn_at, deleted_at, replaced_by, hash, inline, name,
  published_at, client_id on portal.document
  for each row execute function portal.notify_right();

-- A person who is disabled has no session left.
create or replace function portal.person_disabled() returns trigger
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
begin
  delete from portal.session s where s.person_id = new.id;
  return null;
end
$$;
alter function portal.person_disabled() owner to portal_gate;

create or replace trigger person_disabled after update of disabled_at on portal.person
  for each row when (new.disabled_at is not null) execute function portal.person_disabled();

create or replace function portal.person_key() returns trigger
language plpgsql volatile set search_path = portal, pg_temp
as $$
begin
  new.email := btrim(new.email);
  new.email_key := portal.email_key(new.email);
  new.initials := portal.initials(new.name);
  new.avatar := portal.avatar(new.id);
  return new;
end
$$;

create or replace trigger person_key before insert or update of email, email_key, name, initials, avatar on portal.person
  for each row execute function portal.person_key();

-- A membership is active unless it has ended or its client is closed.  The
-- lock: who closes the client at this moment must see the new row.
create or replace function portal.membership_active() returns trigger
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  closed timestamptz;
begin
  select k.closed_at into closed from portal.client k where k.id = new.client_id for share;
  new.active := new.ended_at is null and closed is null;
  return new;
end
$$;
alter function portal.membership_active() owner to portal_gate;

create or replace trigger membership_active before insert or update on portal.membership
  for each row execute function portal.membership_active();

create or replace function portal.client_closed() returns trigger
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
begin
  -- membership_active() says which
  update portal.membership m set active = m.active where m.client_id = new.id;
  return null;
end
$$;
alter function portal.client_closed() owner to portal_gate;

create or replace trigger client_closed after update of closed_at on portal.client
  for each row when (old.closed_at is distinct from new.closed_at) execute function portal.client_closed();

-- What follows from a document: its sorting key and the counts of its client
-- (its row of the search: pages/documents.sql).
create or replace function portal.document_key() returns trigger
language plpgsql volatile set search_path = portal, pg_temp
as $$
begin
  new.title_key := portal.plain(new.title);
  return new;
end
$$;

create or replace trigger document_key before insert or update of title, title_key on portal.document
  for each row execute function portal.document_key();

-- Once a statement, when its documents are locked already, and in order:
-- two of them do not wait for each other.
create or replace function portal.document_counted() returns trigger
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
begin
  case tg_op
    when 'INSERT' then
      insert into portal.document_count as c (client_id, year, category, n, ahead)
      select d.client_id, extract(year from d.date), d.category, count(*), max(d.published_at)
      from new_rows d where d.live
      group by 1, 2, 3 order by 1, 2, 3
      on conflict (client_id, year, category) do update set n = c.n + excluded.n, ahead = greatest(c.ahead, excluded.ahead);

    when 'UPDATE' then
      insert into portal.document_count as c (client_id, year, category, n, ahead)
      select d.client_id, extract(year from d.date), d.category, sum(d.n), max(d.published_at)
      from (select client_id, date, category, published_at, 1 as n from new_rows where live
            union all
            select client_id, date, category, '-infinity', -1 from old_rows where live) d
      group by 1, 2, 3
      having sum(d.n) <> 0 or max(d.published_at) > now()
      order by 1, 2, 3
      on conflict (client_id, year, category) do update set n = c.n + excluded.n, ahead = greatest(c.ahead, excluded.ahead);

    when 'DELETE' then
      insert into portal.document_count as c (client_id, year, category, n, ahead)
      select d.client_id, extract(year from d.date), d.category, - count(*), '-infinity'
      from old_rows d where d.live
      group by 1, 2, 3 order by 1, 2, 3
      on conflict (client_id, year, category) do update set n = c.n + excluded.n;
  end case;

  return null;
end
$$;
alter function portal.document_counted() owner to portal_gate;

create or replace trigger document_counted_new after insert on portal.document
  referencing new table as new_rows for each statement execute function portal.document_counted();
create or replace trigger document_counted after update on portal.document
  referencing old table as old_rows new table as new_rows for each statement execute function portal.document_counted();
create or replace trigger document_counted_gone after delete on portal.document
  referencing old table as old_rows for each statement execute function portal.document_counted();
