-- Documents: list with search and filters, one document, deposit, removal.
--
-- Functions named *_list, *_page, *_new and *_show serve clients and staff
-- and belong to portal_as_client: a plan that PostgreSQL keeps is of one
-- role, and a connection that served both by turns would plan anew at every
-- page (1.7 times the time).  What they see is decided by the session all
-- the same, and each query names its client.

-- What clients deposit has a category from the start.
insert into portal.category (slug, label_fr, label_en, position)
values ('depots', 'Vos dépôts', 'Your uploads', 900)
on conflict (slug) do nothing;

-- A text as the search keeps it: its words without accents, as French stems,
-- each with the beginning of the client's id in front.  So one index serves a
-- client of 5 documents and one of 50,000: what others have is not touched.
create or replace function portal.document_stems(c uuid, t text) returns tsvector
language plpgsql immutable set search_path = portal, pg_temp
as $$
declare
  stems tsvector := to_tsvector('pg_catalog.french', regexp_replace(portal.plain(t), '[^[:alnum:]]+', ' ', 'g'));
begin
  return array_to_tsvector(array(select left(c::text, 8) || w from unnest(tsvector_to_array(stems)) w));
end
$$;
alter function portal.document_stems(uuid, text) owner to portal_index;

-- One row a live document, by a trigger.
create or replace function portal.document_search() returns trigger
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  labels text;
begin
  if tg_op = 'DELETE' then
    delete from portal.search s where s.document_id = old.id;
    return old;
  end if;

  if not new.live then
    delete from portal.search s where s.document_id = new.id;
    return null;
  end if;

  select concat_ws(' ', c.label_fr, c.label_en) into labels from portal.category c where c.slug = new.category;

  insert into portal.search as s (document_id, client_id, category, date, stems)
  values (new.id, new.client_id, new.category, new.date,
          portal.document_stems(new.client_id, concat_ws(' ', new.title, labels, to_char(new.date, 'YYYY MM'), new.name,
                                                         new.author)))
  on conflict (document_id) do update
  set client_id = excluded.client_id, category = excluded.category, date = excluded.date, stems = excluded.stems;
  return null;
end
$$;
alter function portal.document_search() owner to portal_index;

create or replace trigger document_search after insert or update of title, category, date, name, author, withdrawn_at,
  deleted_at, replaced_by, client_id on portal.document
  for each row execute function portal.document_search();

-- before: the row of the search refers to the document's
create or replace trigger document_gone before delete on portal.document
  for each row execute function portal.document_search();

-- The question that these words are: stems, and beginnings of them, in the
-- client's documents.  spelled: a word that begins none of theirs becomes
-- one of up to five that look like it, among those of the latest 10,000
-- documents.  NULL: nothing can be found.
create or replace function portal.documents_asked(c uuid, typed text[], spelled boolean) returns tsquery
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  own constant text := left(c::text, 8);
  known text[];
  stem text;
  alike text;
  asked text;
  w text;
begin
  if spelled then
    -- numbers are meant as they are, and two letters look like nothing
    if not exists (select from unnest(typed) t where t !~ '[0-9]' and length(t) > 2) then
      return null;
    end if;

    select array_agg(substr(k.word, 9)) into known
    from ts_stat(format('select s.stems from portal.search s where s.client_id = %L order by s.date desc limit 10000', c)) k
    where k.word !~ '^.{8}[0-9]';
  end if;

  foreach w in array typed
  loop
    stem := (ts_lexize('pg_catalog.french_stem', w))[1];
    continue when stem is null;

    if not spelled or w ~ '[0-9]' or length(w) < 3 or exists (select from unnest(known) k where starts_with(k, stem)) then
      alike := quote_literal(own || stem) || ':*';
    else
      select string_agg(quote_literal(own || x.k), ' | ') into alike
      from (select k from unnest(known) k
            where length(k) between length(w) - 2 and length(w) + 6 and portal_ext.word_similarity(w, k) >= 0.4
            order by portal_ext.word_similarity(w, k) desc, k limit 5) x;

      if alike is null then
        return null;
      end if;
    end if;

    asked := concat_ws(' & ', asked, '(' || alike || ')');
  end loop;

  return asked::tsquery;
end
$$;
alter function portal.documents_asked(uuid, text[], boolean) owner to portal_index;

-- Candidates of a search in the client of the request: the latest 500, those
-- of the asked category first.  By stems and beginnings of words, and only if
-- that finds nothing, by likeness.  It filters by the session's clients
-- itself; the page reads the candidates under its own policy.
create or replace function portal.documents_found(q text, cat text default null, lo date default '-infinity',
                                                  hi date default 'infinity')
returns uuid[]
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  c uuid := portal.client();
  typed text[];
  asked tsquery;
  ids uuid[] := '{}';
begin
  if c is null or not (c = any (portal.client_ids())) then
    return '{}';
  end if;

  typed := array(select w from regexp_split_to_table(portal.plain(q), '[^[:alnum:]]+') w where w <> '' limit 8);

  for attempt in 1 .. 2
  loop
    asked := portal.documents_asked(c, typed, attempt = 2);

    if asked is null then
      return '{}';
    end if;

    -- "is true" hides it from the client's index: that of the words is meant
    ids := array(select s.document_id from portal.search s
                 where s.stems @@ asked and (s.client_id = c) is true and s.date >= lo and s.date < hi
                 order by s.category is not distinct from cat desc, s.date desc, s.document_id desc
                 limit 500);
    exit when cardinality(ids) > 0;
  end loop;

  return ids;
end
$$;
alter function portal.documents_found(text, text, date, date) owner to portal_index;

-- The documents of a page of the list, one more than it shows, in order.
--
--   c        client;  news  what documents_new() says
--   ids      candidates of a search, or NULL
--   cat, lo, hi  filters;  few  the year leaves less than half: by name,
--            sorting these costs less than passing over the others may
--   sort     recent, name, unread;  after  the last document shown, or NULL;
--   fresh    (unread) it was among the new ones
--
-- It is called with enable_sort off: by its guesses alone (one row) PostgreSQL
-- would read all documents of the client and sort them, instead of taking the
-- first of an index that has them in order.  For the same reason some rows
-- are compared as only one index has them, "title_key || ''" is hidden from
-- indexes where sorting is meant, and "offset 0" has each candidate looked
-- up by its own key.
create or replace function portal.documents_page(c uuid, news uuid[], ids uuid[], cat text, lo date, hi date, few boolean,
                                                 sort text, after uuid, fresh boolean, most integer)
returns portal.document[]
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
declare
  zero constant uuid := '00000000-0000-0000-0000-000000000000';
  a_date date := hi;
  a_key text := '';
  a_id uuid := zero;
  shown portal.document[] := '{}';
  seen uuid[] := '{}';
begin
  if after is not null then
    select d.date, d.title_key, d.id into a_date, a_key, a_id
    from portal.document d where d.client_id = c and d.id = after;

    if a_id is null then
      perform portal.refuse(400);
    elsif a_date >= hi and sort <> 'name' then
      a_date := hi;
      a_id := zero;
    end if;
  end if;

  -- the new ones come first, then the others from the start
  if sort = 'unread' then
    if after is null or fresh then
      shown := array(
        select x.d
        from unnest(news) i (id),
             lateral (select d from portal.document d
                      where d.client_id = c and d.id = i.id and d.live and d.date >= lo and (cat is null or d.category = cat)
                        and (ids is null or d.id = any (ids)) and (d.date, d.id) < (a_date, a_id) offset 0) x
        order by (x.d).date desc, (x.d).id desc limit most + 1);

      if cardinality(shown) > most then
        return shown;
      end if;

      a_date := hi;
      a_id := zero;
    end if;

    seen := news;
  end if;

  if ids is not null then
    return shown || array(
      select x.d
      from unnest(ids) i (id),
           lateral (select d from portal.document d
                    where d.client_id = c and d.id = i.id and d.live and d.published_at <= now()
                      and d.date >= lo and d.date < hi and (cat is null or d.category = cat) and d.id <> all (seen)
                      and (case when sort = 'name' then (d.title_key, d.id) > (a_key, a_id)
                                else (d.date, d.id) < (a_date, a_id) end) offset 0) x
      order by case when sort = 'name' then (x.d).title_key end, case when sort = 'name' then (x.d).id end,
               (x.d).date desc, (x.d).id desc
      limit most + 1 - cardinality(shown));
  end if;

  if sort = 'name' and few and cat is not null then
    return array(
      select d from portal.document d
      where d.client_id = c and d.category = cat and d.live and d.published_at <= now()
        and (d.category, d.date) >= (cat, lo) and (d.category, d.date) < (cat, hi)
        and (d.title_key || '', d.id) > (a_key, a_id)
      order by d.title_key || '', d.id limit most + 1);
  end if;

  if sort = 'name' and few then
    return array(
      select d from portal.document d
      where d.client_id = c and d.live and d.published_at <= now() and d.date >= lo and d.date < hi
        and (d.title_key || '', d.id) > (a_key, a_id)
      order by d.title_key || '', d.id limit most + 1);
  end if;

  if sort = 'name' and cat is not null then
    return array(
      select d from portal.document d
      where d.client_id = c and d.category = cat and d.live and d.published_at <= now() and d.date >= lo and d.date < hi
        and (d.title_key, d.id) > (a_key, a_id)
      order by d.title_key, d.id limit most + 1);
  end if;

  if sort = 'name' then
    return array(
      select d from portal.document d
      where d.client_id = c and d.live and d.published_at <= now() and d.date >= lo and d.date < hi
        and (d.title_key, d.id) > (a_key, a_id)
      order by d.title_key, d.id limit most + 1);
  end if;

  if cat is not null then
    return shown || array(
      select d from portal.document d
      where d.client_id = c and d.category = cat and d.live and d.published_at <= now()
        and d.date >= lo and (d.category, d.date, d.id) < (cat, a_date, a_id) and d.id <> all (seen)
      order by d.category desc, d.date desc, d.id desc limit most + 1 - cardinality(shown));
  end if;

  return shown || array(
    select d from portal.document d
    where d.client_id = c and d.live and d.published_at <= now()
      and d.date >= lo and (d.date, d.id) < (a_date, a_id) and d.id <> all (seen)
    order by d.date desc, d.id desc limit most + 1 - cardinality(shown));
end
$$;
alter function portal.documents_page(uuid, uuid[], uuid[], text, date, date, boolean, text, uuid, boolean, integer)
  owner to portal_as_client;

-- The documents that are new to the person: published in the last two
-- months, not theirs, not opened; of the latest 50.
create or replace function portal.documents_new(c uuid, me uuid) returns uuid[]
language plpgsql stable security definer set search_path = portal, pg_temp
as $$
begin
  return array(
    select d.id
    from (select x.id from portal.document x
          where x.client_id = c and x.live and not x.deposited
            and x.published_at > now() - interval '60 days' and x.published_at <= now()
          order by x.published_at desc limit 50) d
    where not exists (select from portal.opening o where o.document_id = d.id and o.person_id = me));
end
$$;
alter function portal.documents_new(uuid, uuid) owner to portal_as_client;

create or replace function portal.documents_list(r json, deposit boolean) returns json
language plpgsql stable security definer set search_path = portal, pg_temp
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
  page portal.document[];
  news uuid[];
  slugs text[];
  labels text[];
  objects json[];
  groups json;
  categories json;
  years json;
  total integer;
  among integer;
  "all" integer;
  next text;
  said text;
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

  select array_agg(k.slug), array_agg(k.label), array_agg(to_json(k)) into slugs, labels, objects
  from (select c.slug, case when en then c.label_en else c.label_fr end as label
        from portal.category c order by c.position) k;

  -- counts by category and year, which a trigger keeps, less what is not
  -- published yet: few, found by when ("||" hides the category from its
  -- index); a row as JSON costs two thirds of what json_build_object() does
  select json_agg(x) filter (where k.category is not null and (k.n > 0 or k.category = cat)),
         json_agg(y) filter (where k.year is not null and k.every > 0),
         coalesce(sum(k.n) filter (where k.category = coalesce(cat, k.category)), 0),
         coalesce(sum(k.every) filter (where k.category = coalesce(cat, k.category)), 0),
         coalesce(sum(k.every) filter (where k.category is not null), 0)
  into categories, years, total, among, "all"
  from (select n.category, n.year, array_position(slugs, n.category) as place,
               coalesce(sum(n.n) filter (where yr is null or n.year = yr), 0) as n, sum(n.n) as every
        from (select n.category, n.year,
                     case when n.ahead > now()
                       then n.n - (select count(*) from portal.document d
                                   where d.client_id = c and d.live and not d.deposited and d.published_at > now()
                                     and d.category || '' = n.category and extract(year from d.date) = n.year)
                       else n.n end as n
              from portal.document_count n
              where n.client_id = c offset 0) n
        group by grouping sets ((n.category), (n.year))
        order by place, n.year desc) k,
       lateral (select k.category as slug, labels[k.place] as label, k.n as count,
                       k.category is not distinct from cat as current) x,
       lateral (select k.year, k.year is not distinct from yr as current) y;

  if q is not null then
    ids := portal.documents_found(q, cat, lo, hi);

    select json_agg(x), coalesce(sum(x.count) filter (where x.slug = coalesce(cat, x.slug)), 0)
    into categories, total
    from (select d.category as slug, labels[array_position(slugs, d.category)] as label, count(*) as count,
                 d.category is not distinct from cat as current
          from unnest(ids) i (id),
               lateral (select d.category from portal.document d
                        where d.client_id = c and d.id = i.id and d.live and d.published_at <= now()
                          and d.date >= lo and d.date < hi offset 0) d
          group by d.category
          order by array_position(slugs, d.category)) x;
  end if;

  news := portal.documents_new(c, me);
  said := set_config('portal.unread', cardinality(news)::text, true);

  said := set_config('enable_sort', 'off', true);
  page := portal.documents_page(c, news, ids, cat, lo, hi, yr is not null and total < among / 2, sort, after, fresh, per);
  said := set_config('enable_sort', 'on', true);

  if cardinality(page) > 0 then
    select json_agg(g) into groups
    from (select d.month, json_agg(d.x) as documents
          from (select case when sort = 'recent' then date_trunc('month', p.date::timestamp)::date end as month,
                       p.ordinality, x
                from unnest(page[1:per]) with ordinality p,
                     lateral (select p.id, p.title, p.kind, p.date, p.size, objects[array_position(slugs, p.category)] as category,
                                     p.deposited, p.id = any (news) as new) x
                order by month desc, p.ordinality) d
          group by d.month
          order by d.month desc) g;

    if cardinality(page) > per then
      next := case when sort = 'unread' and page[per].id = any (news) then '~' else '' end || page[per].id;
    end if;
  end if;

  return json_build_object(
    'q', coalesce(q, ''), 'category', coalesce(cat, ''), 'year', coalesce(year_text, ''), 'sort', sort,
    'sorts', json_build_array(json_build_object('sort', 'recent', 'current', sort = 'recent'),
                              json_build_object('sort', 'name', 'current', sort = 'name'),
                              json_build_object('sort', 'unread', 'current', sort = 'unread')),
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
alter function portal.documents_list(json, boolean) owner to portal_as_client;

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
language plpgsql volatile security definer set search_path = portal, pg_temp
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

alter function portal.document_show(json, uuid) owner to portal_as_client;

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
  select x.id, x.deposited, x.author_id, x.accepted_at into d
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

  -- its room is free again when its file is gone from the store, not before:
  -- otherwise who deposits and deletes by turns would fill the disk
  update portal.document x set deleted_at = now() where x.client_id = c and x.id = d.id;
  perform portal.audit_add('document.deleted', d.id);

  return portal.redirect('documents', 'document_deleted');
end
$$;

select portal.page('documents', access => 'any', client => 'portal.documents', staff => 'portal.documents_as_staff');
select portal.page('document', access => 'any', client => 'portal.document', staff => 'portal.document_as_staff');
select portal.page('document_deposit', access => 'client', client => 'portal.document_deposit', shows => 'documents');
select portal.page('document_delete', access => 'client', client => 'portal.document_delete', shows => 'document');

grant execute on function portal.documents_list(json, boolean), portal.document_show(json, uuid) to portal_as_staff;
grant execute on function portal.documents_found(text, text, date, date), portal.document_elsewhere(uuid) to portal_as_client;
