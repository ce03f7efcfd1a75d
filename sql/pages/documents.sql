-- Documents: list with search and filters, one document, deposit, removal.
--
-- Functions named *_list and *_show run as their caller, so that clients and
-- staff read by their own policies; each query names its client.

-- What clients deposit has a category from the start.
insert into portal.category (slug, label_fr, label_en, position)
values ('depots', 'Vos dépôts', 'Your uploads', 900)
on conflict (slug) do nothing;

-- Candidates of a search in the client of the request, 500 at most: first
-- by stems and beginnings of words, and only if that finds nothing, by
-- likeness.  It filters by the session's clients itself; the page reads
-- the candidates under its own policy.
create or replace function portal.documents_found(q text) returns uuid[]
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  c uuid := portal.client();
  typed text[];
  longest text;
  asked tsquery;
  ids uuid[];
begin
  if c is null or not (c = any (portal.client_ids())) then
    return '{}';
  end if;

  select array_agg(w) into typed
  from (select w from regexp_split_to_table(portal.plain(q), '[^[:alnum:]]+') w where w <> '' limit 8) x;

  if typed is null then
    return '{}';
  end if;

  asked := to_tsquery('pg_catalog.french', (select string_agg(quote_literal(w) || ':*', ' & ') from unnest(typed) w));

  if numnode(asked) > 0 then
    select array_agg(x.document_id) into ids
    from (select s.document_id from portal.search s
          where s.client_id = c and s.stems @@ asked
          limit 500) x;
  end if;

  if ids is not null then
    return ids;
  end if;

  select w into longest from unnest(typed) w order by length(w) desc limit 1;

  if length(longest) < 3 then
    return '{}';
  end if;

  select array_agg(x.document_id) into ids
  from (select s.document_id from portal.search s
        where s.client_id = c
          and longest operator(portal_ext.<%) s.words
          and not exists (select from unnest(typed) w where portal_ext.word_similarity(w, s.words) < 0.4)
        limit 500) x;

  return coalesce(ids, '{}');
end
$$;
alter function portal.documents_found(text) owner to portal_index;
alter function portal.documents_found(text) set pg_trgm.word_similarity_threshold = 0.5;

-- The ids of a page of the list, one more than it shows, in order.
--
--   c, me    client and person;  ids  candidates of a search, or NULL
--   sort     recent, name, unread;  after  the last document shown, or NULL;
--   fresh    (unread) it was among the new ones
create or replace function portal.documents_page(c uuid, me uuid, ids uuid[], cat text, lo date, hi date, sort text,
                                                 after uuid, fresh boolean, most integer)
returns uuid[]
language plpgsql stable set search_path = portal, pg_temp
as $$
declare
  a_date date := 'infinity';
  a_key text := '';
  a_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  found_ids uuid[];
  news uuid[];
begin
  if after is not null then
    select d.date, d.title_key, d.id into a_date, a_key, a_id
    from portal.document d where d.client_id = c and d.id = after;
    if a_id is null then
      perform portal.refuse(400);
    end if;
  elsif sort = 'name' then
    a_id := '00000000-0000-0000-0000-000000000000';
  end if;

  if sort = 'unread' then
    news := portal.documents_new(c, me);

    if after is null or fresh then
      select array_agg(x.id order by x.date desc, x.id desc) into found_ids
      from (select d.id, d.date from portal.document d
            where d.client_id = c and d.id = any (news) and d.live and d.date >= lo and d.date < hi
              and (cat is null or d.category = cat) and (ids is null or d.id = any (ids))
              and (d.date, d.id) < (a_date, a_id)
            order by d.date desc, d.id desc limit most + 1) x;

      if cardinality(found_ids) > most then
        return found_ids;
      end if;

      a_date := 'infinity';
      a_id := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    end if;
  end if;

  if ids is not null then
    return coalesce(found_ids, '{}') || coalesce((
      select array_agg(x.id order by x.n)
      from (select d.id, row_number() over (order by case when sort = 'name' then d.title_key end,
                                                     case when sort = 'name' then d.id end,
                                                     d.date desc, d.id desc) as n
            from portal.document d
            where d.client_id = c and d.id = any (ids) and d.live and d.published_at <= now()
              and d.date >= lo and d.date < hi and (cat is null or d.category = cat)
              and (news is null or d.id <> all (news))
              and (case when sort = 'name' then (d.title_key, d.id) > (a_key, a_id)
                        else (d.date, d.id) < (a_date, a_id) end)
            limit most + 1 - coalesce(cardinality(found_ids), 0)) x), '{}');
  end if;

  if sort = 'name' then
    return coalesce((
      select array_agg(x.id order by x.title_key, x.id)
      from (select d.id, d.title_key from portal.document d
            where d.client_id = c and d.live and d.published_at <= now()
              and d.date >= lo and d.date < hi and (cat is null or d.category = cat)
              and (d.title_key, d.id) > (a_key, a_id)
            order by d.title_key, d.id limit most + 1) x), '{}');
  end if;

  if cat is not null then
    return coalesce(found_ids, '{}') || coalesce((
      select array_agg(x.id order by x.date desc, x.id desc)
      from (select d.id, d.date from portal.document d
            where d.client_id = c and d.category = cat and d.live and d.published_at <= now()
              and d.date >= lo and d.date < hi and (news is null or d.id <> all (news))
              and (d.date, d.id) < (a_date, a_id)
            order by d.date desc, d.id desc limit most + 1 - coalesce(cardinality(found_ids), 0)) x), '{}');
  end if;

  return coalesce(found_ids, '{}') || coalesce((
    select array_agg(x.id order by x.date desc, x.id desc)
    from (select d.id, d.date from portal.document d
          where d.client_id = c and d.live and d.published_at <= now()
            and d.date >= lo and d.date < hi and (news is null or d.id <> all (news))
            and (d.date, d.id) < (a_date, a_id)
          order by d.date desc, d.id desc limit most + 1 - coalesce(cardinality(found_ids), 0)) x), '{}');
end
$$;

-- The documents that are new to the person: published in the last two
-- months, not theirs, not opened; of the latest 50.
create or replace function portal.documents_new(c uuid, me uuid) returns uuid[]
language plpgsql stable set search_path = portal, pg_temp
as $$
declare
  ids uuid[];
begin
  select array_agg(d.id) into ids
  from (select x.id from portal.document x
        where x.client_id = c and x.live and not x.deposited
          and x.published_at > now() - interval '60 days' and x.published_at <= now()
        order by x.published_at desc limit 50) d
  where not exists (select from portal.opening o where o.document_id = d.id and o.person_id = me);
  return coalesce(ids, '{}');
end
$$;

create or replace function portal.documents_list(r json, deposit boolean) returns json
language plpgsql stable set search_path = portal, pg_temp
as $$
declare
  per constant integer := 18;
  c uuid := portal.client();
  me uuid := portal.person_id();
  en boolean := portal.locale() = 'en';
  asked json := coalesce(r -> 'query', '{}');
  q text := nullif(btrim(asked ->> 'q'), '');
  cat text := nullif(asked ->> 'category', '');
  year_text text := nullif(asked ->> 'year', '');
  yr integer;
  sort text := coalesce(nullif(asked ->> 'sort', ''), 'recent');
  cursor_text text := nullif(asked ->> 'after', '');
  after uuid;
  fresh boolean := false;
  lo date := '-infinity';
  hi date := 'infinity';
  ids uuid[];
  page uuid[];
  news uuid[];
  groups json;
  categories json;
  years json;
  total integer;
  "all" integer;
  more boolean;
  next text;
begin
  if length(q) > 200 or sort not in ('recent', 'name', 'unread') or year_text !~ '^[0-9]{4}$' or length(cat) > 40 then
    perform portal.refuse(400);
  end if;

  if year_text is not null then
    yr := greatest(year_text::integer, 1);
    lo := make_date(yr, 1, 1);
    hi := make_date(yr + 1, 1, 1);
  end if;

  if cursor_text is not null then
    fresh := left(cursor_text, 1) = '~';
    after := portal.uuid_or_null(ltrim(cursor_text, '~'));
    if after is null then
      perform portal.refuse(400);
    end if;
  end if;

  if q is not null then
    ids := portal.documents_found(q);
  end if;

  page := portal.documents_page(c, me, ids, cat, lo, hi, sort, after, fresh, per);
  more := cardinality(page) > per;
  page := page[1:per];
  news := portal.documents_new(c, me);

  if cardinality(page) > 0 then
    select json_agg(json_build_object('month', g.month, 'documents', g.documents) order by g.first)
    into groups
    from (select case when sort = 'recent' then date_trunc('month', d.date)::date end as month, min(x.n) as first,
                 json_agg(json_build_object(
                   'id', d.id, 'title', d.title, 'kind', d.kind, 'date', d.date, 'size', d.size,
                   'category', json_build_object('slug', d.category, 'label', case when en then k.label_en else k.label_fr end),
                   'deposited', d.deposited, 'new', d.id = any (news)) order by x.n) as documents
          from unnest(page) with ordinality x (id, n)
          join portal.document d on d.client_id = c and d.id = x.id
          join portal.category k on k.slug = d.category
          group by 1) g;

    if more then
      next := case when sort = 'unread' and page[per] = any (news) then '~' else '' end || page[per];
    end if;
  end if;

  -- counts by category and year: kept by a trigger, or of what was found
  if ids is null then
    select json_agg(json_build_object('slug', x.slug, 'label', x.label, 'count', x.n, 'current', x.slug is not distinct from cat)
                    order by x.position) filter (where x.n > 0 or x.slug = cat),
           coalesce(sum(x.n) filter (where cat is null or x.slug = cat), 0), coalesce(sum(x.every), 0)
    into categories, total, "all"
    from (select k.slug, case when en then k.label_en else k.label_fr end as label, k.position,
                 coalesce(sum(n.n) filter (where yr is null or n.year = yr), 0) as n, sum(n.n) as every
          from portal.document_count n join portal.category k on k.slug = n.category
          where n.client_id = c
          group by 1, 2, 3) x;
  else
    select json_agg(json_build_object('slug', x.slug, 'label', x.label, 'count', x.n, 'current', x.slug is not distinct from cat)
                    order by x.position) filter (where x.n > 0 or x.slug = cat),
           coalesce(sum(x.n) filter (where cat is null or x.slug = cat), 0)
    into categories, total
    from (select k.slug, case when en then k.label_en else k.label_fr end as label, k.position, count(*) as n
          from portal.document d join portal.category k on k.slug = d.category
          where d.client_id = c and d.id = any (ids) and d.live and d.published_at <= now() and d.date >= lo and d.date < hi
          group by 1, 2, 3) x;

    select coalesce(sum(n.n), 0) into "all" from portal.document_count n where n.client_id = c;
  end if;

  select json_agg(json_build_object('year', x.y, 'current', x.y is not distinct from yr) order by x.y desc) into years
  from (select n.year as y from portal.document_count n where n.client_id = c and n.n > 0
        group by 1) x;

  return json_build_object(
    'q', coalesce(q, ''), 'category', coalesce(cat, ''), 'year', coalesce(year_text, ''), 'sort', sort,
    'sorts', (select json_agg(json_build_object('sort', s, 'current', s = sort))
              from unnest(array['recent', 'name', 'unread']) s),
    'years', coalesce(years, '[]'),
    'categories', coalesce(categories, '[]'),
    'groups', coalesce(groups, '[]'),
    'total', total, 'all', "all",
    'filtered', q is not null or cat is not null or yr is not null,
    'empty', "all" = 0,
    'none', "all" > 0 and cardinality(page) = 0,
    'first', after is null, 'next', next, 'paged', next is not null or after is not null,
    'deposit', json_build_object('allowed', deposit, 'max_files', 20,
                                 'max_bytes', (r ->> 'max_bytes')::bigint, 'accept', r ->> 'accept'));
end
$$;

create or replace function portal.documents(r json) returns json
language plpgsql stable as $$
begin
  return portal.documents_list(r, coalesce(portal.preset(), 'reader') <> 'reader');
end
$$;

create or replace function portal.documents_as_staff(r json) returns json
language plpgsql stable as $$
begin
  return portal.documents_list(r, false);
end
$$;

-- The client, among the session's own, that a document belongs to when it
-- is not the one of the request: a link of another own client's leads there.
create or replace function portal.document_elsewhere(id uuid) returns text
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  here text := current_setting('portal.client', true);
  s text;
begin
  perform set_config('portal.client', '', true);

  select k.slug into s
  from portal.document d join portal.client k on k.id = d.client_id
  where d.id = document_elsewhere.id and d.client_id = any ((select portal.client_ids())::uuid[])
    and d.withdrawn_at is null and d.deleted_at is null and d.published_at <= now();

  perform set_config('portal.client', here, true);
  return s;
end
$$;
alter function portal.document_elsewhere(uuid) owner to portal_gate;

create or replace function portal.document_show(r json, me uuid) returns json
language plpgsql volatile set search_path = portal, pg_temp
as $$
declare
  c uuid := portal.client();
  en boolean := portal.locale() = 'en';
  wanted uuid := portal.uuid_or_null(r -> 'path' ->> 'id');
  elsewhere text;
  d record;
begin
  select x.*, k.label_fr, k.label_en into d
  from portal.document x join portal.category k on k.slug = x.category
  where x.client_id = c and x.id = wanted
    and x.withdrawn_at is null and x.deleted_at is null and x.published_at <= now();

  if d.id is null then
    elsewhere := portal.document_elsewhere(wanted);
    if elsewhere is null or r ->> 'html' = 'false' or r -> 'form' is not null then
      return null;
    end if;
    return portal.redirect('~c/' || elsewhere || '/documents/' || wanted, 'client_switched');
  end if;

  return json_build_object(
    'id', d.id, 'title', d.title, 'name', d.name, 'kind', d.kind, 'size', d.size, 'date', d.date,
    'category', json_build_object('slug', d.category, 'label', case when en then d.label_en else d.label_fr end),
    'deposited', d.deposited, 'author', d.author, 'published', portal.local_time(d.published_at),
    'preview', d.inline, 'image', d.inline and d.mime like 'image/%',
    'replaced_by', d.replaced_by,
    'seen', (select portal.local_time(min(o.opened_at)) from portal.opening o
             where o.client_id = c and o.document_id = d.id and o.person_id = me),
    'deletable', d.deposited and d.accepted_at is null and d.author_id = me);
end
$$;

create or replace function portal.document(r json) returns json
language plpgsql volatile as $$
begin
  return portal.document_show(r, portal.person_id());
end
$$;

create or replace function portal.document_as_staff(r json) returns json
language plpgsql volatile as $$
begin
  return portal.document_show(r, portal.person_id());
end
$$;

-- Files that the worker has put into the store become documents; "files" is
-- their list, or the key of what was wrong with them.
create or replace function portal.document_deposit(r json) returns json
language plpgsql volatile as $$
declare
  c uuid := portal.client();
  me uuid := portal.person_id();
  f json;
  n integer;
  bytes bigint;
  id uuid;
begin
  if coalesce(portal.preset(), 'reader') = 'reader' then
    return portal.refuse(403);
  end if;

  if json_typeof(r -> 'files') = 'string' then
    return portal.refuse(422, json_build_object('files', r ->> 'files'));
  end if;

  if coalesce(json_typeof(r -> 'files'), '') <> 'array' or json_array_length(r -> 'files') = 0 then
    return portal.refuse(422, '{"files":"files.empty"}');
  end if;

  select count(*), sum((x ->> 'size')::bigint) into n, bytes from json_array_elements(r -> 'files') x;
  perform portal.quota_take(n, bytes);

  for f in select x from json_array_elements(r -> 'files') x
  loop
    insert into portal.document (client_id, category, title, name, hash, size, mime, kind, inline, date, deposited,
                                 author_id, author)
    values (c, 'depots', coalesce(nullif(regexp_replace(f ->> 'name', '\.[A-Za-z0-9]{1,8}$', ''), ''), f ->> 'name'),
            f ->> 'name', decode(f ->> 'sha256', 'hex'), (f ->> 'size')::bigint, f ->> 'type', f ->> 'kind',
            (f ->> 'inline')::boolean, current_date, true, me, portal.person_name())
    returning document.id into id;

    perform portal.audit_add('document.deposited', id);
  end loop;

  return portal.redirect(case when n = 1 then 'documents/' || id else 'documents' end,
                         case when n = 1 then 'deposited_one' else 'deposited_many' end);
end
$$;

-- Somebody takes back what they deposited, as long as it was not accepted.
create or replace function portal.document_delete(r json) returns json
language plpgsql volatile as $$
declare
  c uuid := portal.client();
  me uuid := portal.person_id();
  d record;
begin
  select x.id, x.size, x.deposited, x.author_id, x.accepted_at into d
  from portal.document x
  where x.client_id = c and x.id = portal.uuid_or_null(r -> 'path' ->> 'id')
    and x.withdrawn_at is null and x.deleted_at is null and x.published_at <= now()
  for update;

  if d.id is null then
    return portal.refuse(404);
  end if;

  if not d.deposited or d.author_id is distinct from me or d.accepted_at is not null then
    return portal.refuse(422, '{"form":"document.not_deletable"}');
  end if;

  update portal.document x set deleted_at = now() where x.client_id = c and x.id = d.id;
  perform portal.quota_take(-1, -d.size);
  perform portal.audit_add('document.deleted', d.id);

  return portal.redirect('documents', 'document_deleted');
end
$$;

select portal.page('documents', access => 'any', client => 'portal.documents', staff => 'portal.documents_as_staff');
select portal.page('document', access => 'any', client => 'portal.document', staff => 'portal.document_as_staff');
select portal.page('document_deposit', access => 'client', client => 'portal.document_deposit', shows => 'documents');
select portal.page('document_delete', access => 'client', client => 'portal.document_delete', shows => 'document');

grant execute on function
  portal.documents_list(json, boolean), portal.documents_new(uuid, uuid), portal.document_show(json, uuid),
  portal.documents_page(uuid, uuid, uuid[], text, date, date, text, uuid, boolean, integer),
  portal.documents_found(text), portal.document_elsewhere(uuid)
to portal_as_client, portal_as_staff;
