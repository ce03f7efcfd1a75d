-- portal.call and its sisters: who is asked, for which client, what becomes
-- of what a page says or does.

begin;
\ir setup.psql
select * from no_plan();
\ir seed.psql

-- each refusal is looked for: how many of them are kept is sign_in.sql's
alter table portal.audit disable trigger audit_refused;

-- pages of a site: each does what its name says
create function portal_site.t_raise(r json) returns json language plpgsql as $$
begin
  insert into portal.document (client_id, category, title, name, hash, size, mime, kind)
  values (portal.client(), 'bilans', 'UNDONE', 'x', sha256('x'), 1, 'text/plain', 'any');
  perform portal.audit_add('t_raise');
  raise exception using errcode = r -> 'query' ->> 'state', message = coalesce(r -> 'query' ->> 'message', 'm');
end
$$;
create function portal_site.t_get(r json) returns json language plpgsql as $$
begin
  raise exception using errcode = r -> 'query' ->> 'state', message = coalesce(r -> 'query' ->> 'message', 'm');
end
$$;
create function portal_site.t_write(r json) returns json language plpgsql as $$
begin
  insert into portal.document (client_id, category, title, name, hash, size, mime, kind)
  values (portal.client(), 'bilans', 'WRITTEN', 'x', sha256('x'), 1, 'text/plain', 'any');
  return '{}';
end
$$;
create function portal_site.t_swallow(r json) returns json language plpgsql as $$
begin
  begin
    perform set_config('transaction_read_only', 'off', true);
  exception when others then null;
  end;
  begin
    insert into portal.document (client_id, category, title, name, hash, size, mime, kind)
    values (portal.client(), 'bilans', 'SWALLOWED', 'x', sha256('x'), 1, 'text/plain', 'any');
  exception when others then
    return json_build_object('state', sqlstate);
  end;
  return json_build_object('state', 'written');
end
$$;
create function portal_site.t_unique(r json) returns json language plpgsql as $$
begin
  insert into portal.document (id, client_id, category, title, name, hash, size, mime, kind)
  values (portal.uuid_or_null(r -> 'query' ->> 'id'), portal.client(), 'bilans', 'x', 'x', sha256('x'), 1,
      'text/plain', 'any');
  return '{}';
end
$$;
create function portal_site.t_check(r json) returns json language plpgsql as $$
begin
  insert into portal.document (client_id, category, title, name, hash, size, mime, kind)
  values (portal.client(), coalesce(r -> 'query' ->> 'category', 'bilans'), 'x', 'x', sha256('x'), 0, 'text/plain',
      'any');
  return '{}';
end
$$;
create function portal_site.t_null(r json) returns json language plpgsql as $$ begin return null; end $$;
create function portal_site.t_self() returns json language plpgsql set search_path = portal_site, portal,
    pg_temp as $$
begin
  return json_build_object('person', portal.person_name(), 'client', portal.client(), 'clients', portal.client_ids(),
    'preset', portal.preset(), 'locale', portal.locale(), 'as', current_user, 'read',
        current_setting('transaction_read_only'),
    'settings', (select json_object_agg(s, current_setting('portal.' || s, true))
                 from unnest(array['session', 'client', 'location', 'flash', 'ip', 'request', 'locale']) s));
end
$$;
create function portal_site.t_who(r json) returns json language plpgsql as $$ begin return portal_site.t_self(); end
    $$;
create function portal_site.t_staff(r json) returns json language plpgsql as $$ begin return portal_site.t_self();
    end $$;
create function portal_site.t_redirect(r json) returns json language plpgsql as $$
begin
  return portal.redirect(r -> 'query' ->> 'to', 'saved');
end
$$;
create function portal_site.t_forge(r json) returns json language plpgsql as $$
begin
  perform set_config('portal.session', r -> 'query' ->> 'session', true), set_config('portal.client',
      r -> 'query' ->> 'client', true);
  return json_build_object('documents', (select count(*) from portal.document), 'clients',
      (select count(*) from portal.client),
    'person', portal.person_id(), 'changed', (select portal.client_ids()));
end
$$;
create function portal_site.t_show(r json) returns json language plpgsql as $$
begin
  return json_build_object('shown', r -> 'form', 'read', current_setting('transaction_read_only'));
end
$$;

select portal.page('t_raise', access => 'client', client => 'portal_site.t_raise');
select portal.page('t_get', access => 'client', client => 'portal_site.t_get');
select portal.page('t_write', access => 'client', client => 'portal_site.t_write');
select portal.page('t_swallow', access => 'client', client => 'portal_site.t_swallow');
select portal.page('t_unique', access => 'client', client => 'portal_site.t_unique');
select portal.page('t_check', access => 'client', client => 'portal_site.t_check');
select portal.page('t_null', access => 'client', client => 'portal_site.t_null');
select portal.page('t_redirect', access => 'client', client => 'portal_site.t_redirect');
select portal.page('t_forge', access => 'client', client => 'portal_site.t_forge');
select portal.page('t_show', access => 'client', client => 'portal_site.t_show');
select portal.page('t_change', access => 'client', client => 'portal_site.t_raise', shows => 't_show');
select portal.page('t_any', access => 'any', client => 'portal_site.t_who', staff => 'portal_site.t_staff');
select portal.page('t_nowhere', access => 'any', client => 'portal_site.t_who', staff => 'portal_site.t_staff',
    needs_client => false);
select portal.page('t_public', access => 'public', client => 'portal_site.t_who', staff => 'portal_site.t_staff',
    needs_client => false);
select portal.page('t_client', access => 'client', client => 'portal_site.t_who', needs_client => false);
select portal.page('t_staff', access => 'staff', staff => 'portal_site.t_staff', needs_client => false);
select portal.page('t_client2', access => 'client', client => 'portal_site.t_who', staff => 'portal_site.t_staff',
    needs_client => false);
select portal.page('t_staff2', access => 'staff', client => 'portal_site.t_who', staff => 'portal_site.t_staff',
    needs_client => false);
select portal.page('t_admin2', access => 'admin', client => 'portal_site.t_who', staff => 'portal_site.t_staff',
    needs_client => false);
select portal.page('t_admin', access => 'admin', staff => 'portal_site.t_staff', needs_client => false);
grant execute on function portal_site.t_self() to portal_as_staff, portal_as_client;

create function pg_temp.query(variadic t text[]) returns json
language sql as $$ select json_build_object('query', json_object(t)) $$;
create function pg_temp.refusals(out n bigint) language sql as $$ select count(*) from portal.audit
    where action = 'refused' $$;

-- the answer carries what asked for it

select is(pg_temp.call(w, p) ->> 'nonce', 'nonce-' || p, format('nonce: %s asks for %s', w, p))
from (values ('alice', 'documents'), (null, 'documents'), ('bob', 't_null'), ('alice', 'absent'),
    ('manager', 'document_deposit')) x (w, p);

-- who may see what

create temporary table levels (page, who, status) as values
  ('t_public', null, 200), ('t_public', 'alice', 200), ('t_public', 'admin', 200), ('t_public', 'expired', 200),
  ('t_nowhere', null, 401), ('t_nowhere', 'alice', 200), ('t_nowhere', 'carol', 200), ('t_nowhere', 'admin', 200),
  ('t_nowhere', 'expired', 401), ('t_nowhere', 'idle', 401), ('t_nowhere', 'disabled', 401),
      ('t_nowhere', 'fired', 401),
  ('t_nowhere', 'garbage', 401), ('t_nowhere', 'nobody', 200),
  ('t_client', null, 401), ('t_client', 'alice', 200), ('t_client', 'reader', 200), ('t_client', 'collab', 403),
      ('t_client', 'manager', 403),
  ('t_client', 'admin', 403), ('t_client', 'disabled', 401),
  ('t_staff', null, 401), ('t_staff', 'alice', 403), ('t_staff', 'collab', 200), ('t_staff', 'manager', 200),
      ('t_staff', 'admin', 200),
  ('t_admin', null, 401), ('t_admin', 'alice', 403), ('t_admin', 'collab', 403), ('t_admin', 'manager', 403),
      ('t_admin', 'admin', 200),
  ('t_client2', null, 401), ('t_client2', 'alice', 200), ('t_client2', 'collab', 403), ('t_client2', 'admin', 403),
  ('t_staff2', 'alice', 403), ('t_staff2', 'collab', 200), ('t_admin2', 'alice', 403), ('t_admin2', 'manager', 403),
      ('t_admin2', 'admin', 200),
  ('absent', null, 404), ('absent', 'alice', 404), ('absent', 'admin', 404);

select is(pg_temp.status(who, page), status::text, format('%s for %s: %s', page, coalesce(who, 'nobody'),
          status)) from levels;
select is(pg_temp.status(who, page, 'POST'), status::text, format('%s for %s, POST: %s', page, coalesce(who,
          'nobody'), status)) from levels;

select is(pg_temp.call(w, 't_public') -> 'body' ->> 'as', r, format('%s is read as %s', coalesce(w, 'nobody'), r))
from (values ('alice', 'portal_as_client'), (null, 'portal_as_client'), ('manager', 'portal_as_staff')) x (w, r);

-- which client

create temporary table clients (who, slug, get, post) as values
  ('alice', null, '200', '200'), ('alice', 'alpha', '200', '200'), ('alice', 'bravo', '404', '404'),
      ('alice', 'absent', '404', '404'),
  ('alice', 'closed', '404', '404'), ('carol', null, '303', '404'), ('carol', 'alpha', '200', '200'),
      ('carol', 'bravo', '200', '200'),
  ('carol', 'charlie', '404', '404'), ('carol', 'closed', '404', '404'), ('eve', null, '200', '200'),
      ('eve', 'alpha', '404', '404'),
  ('collab', null, '303', '404'), ('collab', 'alpha', '200', '200'), ('collab', 'bravo', '404', '404'),
      ('collab', 'absent', '404', '404'),
  ('nobody', 'alpha', '404', '404'), ('manager', null, '303', '404'), ('manager', 'bravo', '200', '200'),
      ('manager', 'absent', '404', '404'),
  ('admin', 'charlie', '200', '200'), ('admin', 'ALPHA', '404', '404'), (null, 'alpha', '401', '401'),
      ('expired', 'alpha', '401', '401');

select is(pg_temp.status(who, 't_any', 'GET', slug), get, format('%s at %s: %s', coalesce(who, 'nobody'),
          coalesce(slug, '-'), get))
from clients;
select is(pg_temp.status(who, 't_any', 'POST', slug), post, format('%s at %s, POST: %s', coalesce(who, 'nobody'),
          coalesce(slug, '-'), post))
from clients;
select is(pg_temp.status(who, 't_nowhere', m, slug), post, format('%s at %s: a page that needs no client, %s: %s',
          who, slug, m, post))
from clients, unnest(array['GET', 'POST']) m where slug is not null;
select is(pg_temp.call(who, 't_any') ->> 'location', '~clients', who || ' is asked which')
from unnest(array['carol', 'collab', 'manager', 'admin']) who;
select is(pg_temp.call(who, 't_any', 'GET', slug) -> 'body' ->> 'client', pg_temp.id(coalesce(slug, 'alpha'))::text,
          format('%s at %s: the client of the request', who, coalesce(slug, '-')))
from clients where get = '200' and coalesce(slug, 'alpha') <> 'charlie' and who <> 'eve';
select is(pg_temp.call('carol', 't_any', 'GET', 'bravo') -> 'body' ->> 'clients',
          json_build_array(pg_temp.id('bravo'))::text,
          'within a request about one client, that one is all there is');

-- a foreign client is as absent as one that never was

select is(pg_temp.call(w, p, m, 'bravo', r)::text, pg_temp.call(w, p, m, 'absent', r)::text, format('%s %s for %s',
          m, p, w))
from unnest(array['alice', 'collab', 'eve']) w, unnest(array['documents', 'document', 'document_deposit',
    'document_delete', 't_any', 'clients']) p,
     unnest(array['GET', 'POST']) m, (values ('{}'::json), ('{"form":{"client":"bravo"}}')) x (r);
select is((select string_agg(a.detail || coalesce(a.client_id::text, '-'), ' ' order by a.id) from portal.audit a
           where a.action = 'refused' and a.client_id = pg_temp.id('bravo') and a.person_id = pg_temp.id('alice')),
             null,
          '… and the audit of the refusal does not tell them apart');

-- … as is a document

create function pg_temp.doc(name text) returns json language sql as $$
  select json_build_object('path', json_build_object('id', pg_temp.id(name)))
$$;

select is(pg_temp.call(w, p, m, s, pg_temp.doc(d))::text, pg_temp.call(w, p, m, s, pg_temp.doc('never there'))::text,
          format('%s %s %s at %s for %s', m, p, d, coalesce(s, '-'), w))
from (values ('alice', 'bravo doc1', null), ('alice', 'bravo doc1', 'alpha'), ('alice', 'alpha withdrawn', null),
    ('alice', 'alpha deleted', 'alpha'),
             ('alice', 'alpha future', null), ('bob', 'alpha doc1', null), ('carol', 'alpha withdrawn', 'bravo'),
               ('carol', 'alpha future', 'bravo'),
             ('eve', 'alpha doc1', 'charlie'), ('collab', 'bravo doc1', 'alpha'),
               ('reader', 'bravo deposit', 'alpha')) x (w, d, s),
     (values ('document', 'GET'), ('document', 'POST'), ('document_delete', 'POST')) y (p, m)
where p <> 'document_delete' or w <> 'collab';

select is(pg_temp.status(w, 'document', 'GET', s, pg_temp.doc(d)), x, format('%s reads %s at %s: %s', w, d,
          coalesce(s, '-'), x))
from (values ('alice', 'alpha doc1', null, '200'), ('alice', 'alpha old', null, '200'),
    ('alice', 'alpha doc1', 'bravo', '404'),
             ('carol', 'alpha doc1', 'alpha', '200'), ('carol', 'bravo doc1', 'alpha', '303'),
               ('manager', 'bravo doc1', 'alpha', '303'),
             ('collab', 'alpha doc1', 'alpha', '200'), ('carol', 'alpha doc1', null, '303'),
               ('alice', 'bravo doc1', null, '404')) v (w, d, s, x);
select is(pg_temp.call('carol', 'document', 'GET', 'alpha', pg_temp.doc('bravo doc1')) ->> 'location',
          '~c/bravo/documents/' || pg_temp.id('bravo doc1'), 'a link into another own client leads there');
select is(pg_temp.call('carol', 'document', 'GET', 'alpha', pg_temp.doc('bravo doc1')) ->> 'flash',
          'client_switched', '… and says so');
select is(pg_temp.status('carol', 'document_delete', 'POST', 'alpha', pg_temp.doc('bravo deposit')), '404',
          'a form never switches');

-- a form that was opened at another client

create temporary table before as select md5(string_agg(d::text, '' order by d.id)) as sum from portal.document d;

select is(pg_temp.status(w, p, 'POST', s, json_build_object('path', json_build_object('id', pg_temp.id(d)), 'form',
          json_build_object('client', c),
            'files', json_build_array(json_build_object('name', 'x', 'sha256', repeat('00', 32), 'size', 1, 'type',
              'text/plain', 'kind', 'any', 'inline', false)))),
          x, format('%s: %s of %s at %s, form of %s: %s', w, p, d, coalesce(s, '-'), c, x))
from (values ('alice', 'document_delete', 'alpha deposit', null, 'bravo', '409'),
    ('alice', 'document_delete', 'alpha deposit', 'alpha', 'bravo', '409'),
             ('alice', 'document_delete', 'alpha deposit', 'alpha', 'absent', '409'),
               ('alice', 'document_delete', 'alpha deposit', 'alpha', '', '409'),
             ('carol', 'document_delete', 'alpha deposit', 'alpha', 'bravo', '409'),
               ('carol', 'document_delete', 'alpha deposit', null, 'alpha', '404'),
             ('alice', 'document_deposit', 'alpha deposit', 'alpha', 'bravo', '409'),
               ('carol', 'document_deposit', 'alpha deposit', 'bravo', 'alpha', '409'),
             ('carol', 'preferences', 'alpha deposit', null, 'alpha', '409'),
               ('carol', 'preferences', 'alpha deposit', 'bravo', 'alpha', '409'),
             ('alice', 'document_delete', 'alpha deposit', 'bravo', 'alpha', '404')) v (w, p, d, s, c, x);
select is((select md5(string_agg(d::text, '' order by d.id)) from portal.document d), sum,
          '… and nothing is written') from before;

-- what a page raises

create temporary table raised (state, status) as values
  ('PT400', '400'), ('PT403', '403'), ('PT404', '404'), ('PT409', '409'), ('PT410', '410'), ('PT422', '422'),
      ('PT429', '429'), ('PT503', '503'),
  ('PT507', '507'), ('22012', '400'), ('22P02', '400'), ('22023', '400'), ('23505', '409'), ('23P01', '409'),
      ('23503', '422'), ('23514', '422'),
  ('PT200', 'PT200'), ('PT303', 'PT303'), ('PT600', 'PT600'), ('P0001', 'P0001'), ('42501', '42501'),
      ('42P01', '42P01'), ('23502', '23502'),
  ('40001', '40001'), ('55P03', '55P03'), ('53100', '53100'), ('XX000', 'XX000'), ('25006', '25006');

select is(pg_temp.status('alice', 't_raise', 'POST', null, pg_temp.query('state', state)), status,
          format('%s on POST: %s', state, status)) from raised;
select is(pg_temp.status('alice', 't_get', 'GET', null, pg_temp.query('state', state)), status,
          format('%s on GET: %s', state, status)) from raised;
select is((select count(*) from portal.document where title = 'UNDONE'), 0::bigint,
          'what the page had written is undone');
select is((select count(*) from portal.audit where action = 't_raise'), 0::bigint,
          '… its own words in the audit too');
select is((select count(*) from portal.audit where action = 'refused' and person_id = pg_temp.id('alice')
          and detail = m || ' t_' || p
             and result in ('400', '403', '404', '409', '410', '429', '503', '507')),
          (select count(*) from raised where status ~ '^[45]..$' and status <> '422'),
            format('but that %s was refused stays', m))
from (values ('POST', 'raise'), ('GET', 'get')) x (m, p);
select is((select count(*) from portal.audit where detail in ('GET t_get', 'POST t_raise') and result = '422'),
          0::bigint, 'a 422 is no refusal');

select is(pg_temp.status('alice', p, 'POST', null, q), x, y)
from (values ('t_unique', pg_temp.query('id', pg_temp.id('bravo doc1')::text), '409', 'the same key twice: 409'),
             ('t_check', '{}'::json, '422', 'a check that fails: 422'),
             ('t_check', pg_temp.query('category', 'no-such'), '422', 'a reference to nothing: 422')) v (p, q, x, y);

select is(pg_temp.call('alice', 't_get', 'GET', null, pg_temp.query('state', 'PT422', 'message',
          '{"a":"b"}')) ->> 'errors', '{"a":"b"}', 'errors by field');
select is(pg_temp.call('alice', 't_get', 'GET', null, pg_temp.query('state', s, 'message', m)) ->> 'errors',
          '{"form" : "form.refused"}', format('%s with "%s": no words of ours leave', s, m))
from (values ('PT422', 'duplicate key of MARKbravo'), ('23514', '{"a":"b"}'),
    ('23503', 'Key (x)=(y) is not present')) x (s, m);
select is(pg_temp.status('alice', 't_get', 'GET', null, pg_temp.query('state', 'PT422', 'message', '{"a":')),
          '22P02', 'errors that are no JSON are no answer');
select is((pg_temp.call('alice', 't_get', 'GET', null, pg_temp.query('state', 'PT404', 'message',
          'secret')))::text !~ 'secret', true, 'a message never leaves');

-- GET writes nothing

select is(pg_temp.status('alice', 't_write', 'GET'), '25006', 'a page that writes on GET fails');
select is(pg_temp.call('alice', 't_swallow', 'GET') -> 'body' ->> 'state', '25006', '… and cannot get round it');
select is(pg_temp.call('alice', 't_any') -> 'body' ->> 'read', 'on', 'GET is read-only');
select is(pg_temp.call('alice', 't_any', 'POST') -> 'body' ->> 'read', 'off', 'POST is not');
select is(pg_temp.status('alice', 't_write', 'POST'), '200', 'a page that writes on POST writes');
select is((select count(*) from portal.document where title in ('WRITTEN', 'SWALLOWED')), 1::bigint, '… once');
select is(current_setting('transaction_read_only'), 'off', 'and the transaction is as before');

-- nothing: as absent

select is(pg_temp.status('alice', 't_null', m), '404',
          m || ': a page that says nothing is not found') from unnest(array['GET', 'POST']) m;
select is((select n from pg_temp.refusals()) - r.n, 1::bigint, w || ' is told so in the audit')
from pg_temp.refusals() r, unnest(array['GET', 'POST']) w, pg_temp.call('alice', 't_null', w) c where c is not null;

-- redirects

select is(pg_temp.call('alice', 't_redirect', m, null, pg_temp.query('to', 'documents')) ->> k, x,
          format('%s, redirect: %s', m, k))
from unnest(array['GET', 'POST']) m, (values ('status', '303'), ('location', 'documents'), ('flash', 'saved'),
    ('body', null), ('errors', null)) v (k, x);
select is(pg_temp.call('alice', 't_any') ->> 'location', null, 'it is gone with the next call');

-- the page that is shown again

select is(pg_temp.call('alice', 't_change', 'POST', null,
          '{"query":{"state":"PT422","message":"{\"a\":\"b\"}"},"form":{"a":"typed","client":"alpha"}}') -> k ->> l,
          x,
          format('422 with a page: %s %s', k, l))
from (values ('errors', 'a', 'b'), ('body', 'shown', '{"a":"typed","client":"alpha"}'),
    ('shell', 'today', current_date::text)) v (k, l, x);
select is(pg_temp.call('alice', 't_change', 'POST', null, '{"query":{"state":"PT422"},"html":false}') ->> 'body',
          null, 'none for JSON');
select is(pg_temp.call('alice', 't_change', 'POST', null, '{"query":{"state":"PT409"}}') ->> 'body', null,
          'none for a 409');
select is((select count(*) from portal.document where title = 'UNDONE'), 0::bigint, 'and nothing is written');

-- a page that forges its identity

select is(pg_temp.call('alice', 't_forge', m, s, pg_temp.query('session', q, 'client', c)) -> 'body' ->> 'documents',
          '0', format('%s: forged: %s, %s', m, q, c))
from unnest(array['GET', 'POST']) m, unnest(array[null, 'alpha']) s,
     (values ('', ''), (repeat('00', 32), ''), (repeat('00', 32), pg_temp.id('bravo')::text),
         (encode(pg_temp.token('alice'), 'hex'), pg_temp.id('bravo')::text)) v (q, c);
select is(pg_temp.call('alice', 't_forge', 'GET', null, pg_temp.query('session', encode(pg_temp.token('alice'),
          'hex'), 'client', '')) -> 'body' ->> 'clients',
          '1', 'with her own token she is herself');

-- every call sets every setting

select set_config('portal.session', encode(pg_temp.token('bob'), 'hex'), false), set_config('portal.client',
    pg_temp.id('bravo')::text, false),
       set_config('portal.location', 'left', false), set_config('portal.flash', 'left', false),
           set_config('portal.locale', 'en', false),
       set_config('portal.ip', '1.2.3.4', false), set_config('portal.request', 'left', false);
select is(pg_temp.call(null, 't_public') -> 'body' ->> 'settings',
          '{ "session" : "", "client" : "", "location" : "", "flash" : "", "ip" : "", "request" : "", "locale" : "" }',
          'nobody finds nothing that was left');
select is(pg_temp.call(null, 't_public') -> 'body' ->> 'person', '', '… is nobody');
select is(pg_temp.call('garbage', 't_public') -> 'body' -> 'settings' ->> 'session', '',
          '… nor is an unknown token somebody');
select is(pg_temp.call('alice', 'documents') -> 'body' ->> 'total', '4', 'alice is alice all the same');
select is(pg_temp.call('alice', 't_any') -> 'body' ->> 'person', 'Alice', '…');
select is(pg_temp.call('alice', 't_nowhere') -> 'body' ->> 'clients', json_build_array(pg_temp.id('alpha'))::text,
          '… with her client');
select is(pg_temp.call('alice', 't_any', 'GET', null,
          '{"ip":"192.0.2.7","id":"abc"}') -> 'body' -> 'settings' ->> 'ip', '192.0.2.7', 'and her address');
select is(pg_temp.call('bob', 't_any') -> 'body' -> 'settings' ->> 'ip', '', '… which is not bob''s');
select pg_temp.forget();

-- the shell

select is(pg_temp.call('alice', 'documents') -> 'shell' -> k ->> l, x, format('shell: %s.%s', k, l))
from (values ('person', 'name', 'Alice'), ('client', 'slug', 'alpha'), ('contact', 'name', 'Collab'),
    ('unread', 'documents', '2')) v (k, l, x);
select is(pg_temp.call('carol', 'documents', 'GET', 'alpha') -> 'shell' ->> 'several', 'true', 'several clients');
select is(pg_temp.call('alice', 'documents') -> 'shell' ->> 'several', 'false', 'one');
select is(pg_temp.call('alice', 'documents', 'GET', null, '{"html":false}') ->> 'shell', null, 'none for JSON');
select is(pg_temp.call(null, 't_public') ->> 'shell', null, 'none for nobody');
select is(pg_temp.call('collab', 'documents', 'GET', 'alpha') -> 'shell' ->> 'contact', null,
          'none of the contact for staff');
select ok(pg_temp.call(w, p, 'GET', s)::text !~ 'bravo|Bob', format('nothing of bravo in %s for %s', p, w))
from (values ('alice', 'documents', null), ('alice', 'clients', null), ('alice', 'sessions', null),
    ('collab', 'clients', null), ('collab', 'documents', 'alpha'),
             ('eve', 'documents', null), ('eve', 'clients', null)) v (w, p, s);
select is((select string_agg(k ->> 'slug', ' ') from json_array_elements(pg_temp.call(w,
          'clients') -> 'body' -> 'clients') k), x, format('clients of %s: %s', w, x))
from (values ('alice', 'alpha'), ('carol', 'alpha bravo'), ('eve', 'charlie'), ('collab', 'alpha'), ('nobody', null),
    ('manager', 'alpha bravo charlie')) v (w, x);
select ok(pg_temp.call('eve', p)::text !~ 'MARK(alpha|bravo)', 'a new client sees no string of another: ' || p)
from unnest(array['documents', 'clients', 'sessions', 'home']) p;

-- files

create function pg_temp.grant(who text, slug text, document text) returns text language plpgsql as $$
declare
  t bytea := pg_temp.token(who);
  s text;
begin
  perform set_config('role', 'portal_web', true);
  select g.status || ' ' || coalesce(g.name, '-') || ' ' || g.nonce into s
  from portal.file_grant(t, slug, pg_temp.id(document), 'n-' || document, '192.0.2.1', 'r') g;
  perform set_config('role', 'none', true);
  return replace(s, ' n-' || document, '');
end
$$;

select is(pg_temp.grant(w, s, d), x, format('file %s at %s for %s: %s', d, coalesce(s, '-'), coalesce(w, 'nobody'),
          x))
from (values ('alice', null, 'alpha doc1', '200 MARKalpha-doc1.pdf'),
    ('alice', 'alpha', 'alpha doc1', '200 MARKalpha-doc1.pdf'),
             ('alice', null, 'alpha old', '200 MARKalpha-old.pdf'), ('alice', null, 'bravo doc1', '404 -'),
               ('alice', 'alpha', 'bravo doc1', '404 -'),
             ('alice', 'bravo', 'bravo doc1', '404 -'), ('alice', 'bravo', 'alpha doc1', '404 -'),
               ('alice', 'absent', 'alpha doc1', '404 -'),
             ('alice', null, 'alpha withdrawn', '404 -'), ('alice', null, 'alpha deleted', '404 -'),
               ('alice', null, 'alpha future', '404 -'),
             ('alice', null, 'never there', '404 -'), (null, null, 'alpha doc1', '401 -'),
               ('expired', 'alpha', 'alpha doc1', '401 -'),
             ('disabled', null, 'alpha doc1', '401 -'), ('carol', null, 'alpha doc1', '200 MARKalpha-doc1.pdf'),
               ('carol', null, 'bravo doc1', '200 MARKbravo-doc1.pdf'),
             ('carol', 'alpha', 'bravo doc1', '404 -'), ('collab', 'alpha', 'alpha doc1', '200 MARKalpha-doc1.pdf'),
               ('collab', null, 'bravo doc1', '404 -'),
             ('collab', 'bravo', 'bravo doc1', '404 -'), ('nobody', null, 'alpha doc1', '404 -'),
               ('manager', 'bravo', 'bravo doc1', '200 MARKbravo-doc1.pdf'),
             ('admin', null, 'alpha doc1', '200 MARKalpha-doc1.pdf'),
               ('fired', null, 'alpha doc1', '401 -')) v (w, s, d, x);
select is((select count(*) from portal.opening where document_id = pg_temp.id('alpha doc1')
          and person_id = pg_temp.id('carol')), 1::bigint, 'the first opening is written');
select is((select count(*) from portal.audit where action = 'document.opened' and person_id = pg_temp.id('carol')),
          2::bigint, '… in the audit too');
select is(pg_temp.grant('carol', 'alpha', 'alpha doc1'), '200 MARKalpha-doc1.pdf', 'a second one');
select is((select count(*) from portal.audit where action = 'document.opened' and person_id = pg_temp.id('carol')),
          2::bigint, '… is not');
select is((select count(*) from portal.opening o join portal.document d on d.id = o.document_id
          and d.client_id <> o.client_id), 0::bigint, 'an opening is of its document''s client');
select is((select string_agg(distinct result, ' ') from portal.audit where action = 'refused' and detail = 'file'),
          '404', 'refusals of files are written');

-- room for deposits

create function pg_temp.room(who text, slug text, bytes bigint) returns text language plpgsql as $$
declare
  t bytea := pg_temp.token(who);
  s text;
begin
  perform set_config('role', 'portal_web', true);
  select u.status into s from portal.upload_check(t, slug, bytes, 'n') u;
  perform set_config('role', 'none', true);
  return s;
end
$$;

update portal.client set quota_bytes = 5000, quota_files = 3 where slug in ('alpha', 'bravo');
select is(pg_temp.room(w, s, b), x, format('room for %s bytes at %s for %s: %s', b, coalesce(s, '-'), coalesce(w,
          'nobody'), x))
from (values ('alice', null, 4000, '200'), ('alice', null, 4001, '507'), ('alice', 'alpha', 0, '200'),
    ('alice', 'bravo', 1, '404'), ('alice', 'absent', 1, '404'),
             ('reader', null, 1, '403'), ('carol', null, 1, '404'), ('carol', 'alpha', 1, '200'),
               ('manager', 'alpha', 1, '403'), ('collab', 'bravo', 1, '404'),
             (null, 'alpha', 1, '401'), ('expired', 'alpha', 1, '401'), ('alice', null, -5, '200')) v (w, s, b, x);
update portal.client set used_files = 3 where slug = 'alpha';
select is(pg_temp.room('alice', null, 1), '507', 'no room for another file');

-- the end of a session

select is(pg_temp.eval('portal_web', $$ (select count(*) from portal.session(pg_temp.token('alice'), 'n')) $$), '1',
          'a session');
select is(pg_temp.eval('portal_web', format('portal.sign_out(%L, false)', pg_temp.token('alice'))), 'true', '… ends');
select is(pg_temp.eval('portal_web', format('portal.sign_out(%L, false)', pg_temp.token('alice'))), 'false',
          '… once');
select is(pg_temp.status('alice', 'documents'), '401', '… for pages');
select is(pg_temp.grant('alice', null, 'alpha doc1'), '401 -', '… for files');
select is((select count(*) from portal.audit where action = 'sign_out'), 1::bigint, '… in the audit');

insert into portal.session (token_hash, person_id, idle, absolute_end)
select pg_temp.token('alice ' || n), pg_temp.id('alice'), 1800, now() + interval '1 hour' from generate_series(1,
    4) n;
create temporary table others as select person_id,
    count(*) as n from portal.session where person_id <> pg_temp.id('alice') group by 1;
select is(pg_temp.eval('portal_web', format('portal.sign_out(%L, false)', pg_temp.token('alice 1'))), 'true',
          'one of four ends');
select is((select count(*) from portal.session where person_id = pg_temp.id('alice')), 3::bigint, '… and no other');
select is(pg_temp.eval('portal_web', format('portal.sign_out(%L, true)', pg_temp.token('garbage'))), 'false',
          'everywhere, of nobody');
select is((select count(*) from portal.session where person_id = pg_temp.id('alice')), 3::bigint, '… is nowhere');
select is(pg_temp.eval('portal_web', format('portal.sign_out(%L, true)', pg_temp.token('alice 2'))), 'true',
          'everywhere');
select is((select count(*) from portal.session where person_id = pg_temp.id('alice')), 0::bigint, '… is all of hers');
select results_eq('select person_id, count(*) from portal.session group by 1 order by 1',
    'select person_id, n from others order by 1', '… and nobody else''s');

select is(pg_temp.eval('portal_web', format('(select count(*) from portal.session(%L, ''n''))', pg_temp.token(w))),
          x, format('session of %s: %s', w, x))
from (values ('bob', '1'), ('expired', '0'), ('idle', '0'), ('disabled', '0'), ('fired', '0'), ('garbage', '0'),
    ('admin', '1')) v (w, x);
update portal.session set last_seen = now() - interval '20 minutes' where person_id in (pg_temp.id('bob'),
    pg_temp.id('expired'));
select is(pg_temp.eval('portal_web', format('portal.touch(array[%L, %L, %L]::bytea[])', pg_temp.token('bob'),
          pg_temp.token('expired'), pg_temp.token('idle'))), '2',
          'touch: one that lives, one within the minute and a half that the word may take');
select is((select last_seen = now() from portal.session where person_id = pg_temp.id('bob')), true,
          '… and lives longer');
select is((select last_seen = now() from portal.session where person_id = pg_temp.id('expired')), false,
          '… what has ended does not');
select is(pg_temp.eval('portal_web', 'portal.touch(null)'), '0', 'touch of nothing');

select is(pg_temp.status('carol', 'session_revoke', 'POST', 'alpha', json_build_object('path',
          json_build_object('id', pg_temp.id('session of ' || w)))), x,
          format('carol ends the session of %s: %s', w, x))
from (values ('bob', '404'), ('reader', '404'), ('manager', '404'), ('never there', '404')) v (w, x);
insert into portal.session (token_hash, person_id, idle, absolute_end)
select pg_temp.token('carol ' || n), pg_temp.id('carol'), 1800, now() + interval '1 hour' from generate_series(1,
    3) n;
select is(pg_temp.status('carol', 'session_revoke', 'POST', 'alpha',
            json_build_object('path', json_build_object('id',
              (select id from portal.session where token_hash = pg_temp.token('carol 1'))))), '303', '… her own');
select is(pg_temp.status('carol', 'sessions_revoke_others', 'POST', 'alpha'), '303', 'all others of hers');
select is((select count(*) from portal.session where person_id = pg_temp.id('carol')), 1::bigint, '… but this one');
select is((select count(*) from portal.session where person_id in (pg_temp.id('bob'), pg_temp.id('reader'),
          pg_temp.id('manager'))), 3::bigint, '… and nobody else''s');

update portal.person set disabled_at = now() where id = pg_temp.id('bob');
select is((select count(*) from portal.session where person_id = pg_temp.id('bob')), 0::bigint,
          'a person who is disabled has no session left');
select is(pg_temp.status('bob', 'documents'), '401', '… and sees nothing');

-- what the worker refuses is written too, for who has a session

select is(pg_temp.eval('portal_web', format('portal.refused(%L, ''POST /x'', ''403'', ''192.0.2.9'', ''r'')',
          pg_temp.token(w))), x, format('a refusal of %s: %s', w, x))
from (values ('reader', 'true'), ('garbage', 'false'), ('expired', 'false'), ('disabled', 'false')) v (w, x);
select is(pg_temp.eval('portal_web', 'portal.refused(null, ''POST /x'', ''403'', '''', '''')'), 'false',
          'nor of nobody');
select is((select string_agg(format('%s %s %s %s', a.person_id, a.result, a.ip, a.client_id),
          ', ') from portal.audit a where a.detail = 'POST /x'),
          pg_temp.id('reader') || ' 403 192.0.2.9 ', 'one row');

-- rights end with the row that gave them

update portal.membership set ended_at = now() where person_id = pg_temp.id('carol')
    and client_id = pg_temp.id('bravo');
select is(pg_temp.status('carol', 'documents', 'GET', 'bravo'), '404', 'a membership that ended');
select is(pg_temp.status('carol', 'documents'), '200', '… leaves one client');
delete from portal.portfolio where person_id = pg_temp.id('collab');
select is(pg_temp.status('collab', 'documents', 'GET', 'alpha'), '404', 'a client taken out of the portfolio');
update portal.client set closed_at = now() where slug = 'charlie';
select is(pg_temp.status('eve', 'documents', 'GET', 'charlie'), '404', 'a client that was closed');
select is(pg_temp.status('eve', 'documents'), '404', '… was the only one');
select is(pg_temp.grant('eve', null, 'alpha doc1'), '404 -', '… and falls back to no other');
select is((select bool_or(active) from portal.membership where client_id = pg_temp.id('charlie')), false,
          '… no membership of it is active');
update portal.membership set ended_at = null where person_id = pg_temp.id('carol') and client_id = pg_temp.id('charlie');
select is(pg_temp.status('carol', 'documents', 'GET', 'charlie'), '404', 'nor does a new one open it');
update portal.membership set active = true where client_id = pg_temp.id('charlie');
select is(pg_temp.status('carol', 'documents', 'GET', 'charlie'), '404', 'nor saying so');
update portal.client set closed_at = null where slug = 'charlie';
select is(pg_temp.status('eve', 'documents', 'GET', 'charlie'), '200', 'opened again');
update portal.client set closed_at = now() where slug = 'charlie';
update portal.membership set ended_at = now() where person_id = pg_temp.id('carol') and client_id = pg_temp.id('charlie');
update portal.staff set role = 'collaborator' where person_id = pg_temp.id('manager');
select is(pg_temp.status('manager', 'documents', 'GET', 'bravo'), '404', 'a manager no more');
delete from portal.staff where person_id = pg_temp.id('admin');
select is(pg_temp.status('admin', 'clients'), '401', 'nor of the staff');

-- one of the access checks fails: refused

alter table portal.membership rename to gone;
select matches(pg_temp.status('reader', p, 'GET', s), '^(42P01|404)$', format('no memberships can be read: %s at %s',
    p, coalesce(s, '-')))
from unnest(array['documents', 'home', 'clients']) p, unnest(array[null, 'alpha']) s;
alter table portal.gone rename to membership;
alter table portal.session rename to gone;
select is(pg_temp.status('reader', p), '42P01', 'nor sessions: ' || p) from unnest(array['documents', 'home',
          'clients', 't_public']) p;
alter table portal.gone rename to session;
select is(pg_temp.status('reader', 'documents'), '200', '… and then again');

-- no audit, no act

create function pg_temp.no_audit() returns trigger language plpgsql as $$ begin raise exception 'no audit'; end $$;
create trigger no_audit before insert on portal.audit for each row execute function pg_temp.no_audit();
select is(pg_temp.status('reader', 'sessions_revoke_others', 'POST'), 'P0001', 'an act whose audit fails');
select is(pg_temp.eval('portal_web', format('(select status from portal.file_grant(%L, null, %L, ''n'', '''', ''''))',
                                            pg_temp.token('reader'), pg_temp.id('alpha doc2'))),
          'P0001', '… an opening too');
drop trigger no_audit on portal.audit;
select is((select count(*) from portal.opening where person_id = pg_temp.id('reader')), 0::bigint, '… is undone');

select * from finish();
rollback;
