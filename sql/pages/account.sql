-- Pages about the person: home, clients, sessions, preferences.  All but
-- the list of clients are about the session itself and belong to the gate.

-- Where one lands: the client's documents, or the choice of a client.
create or replace function portal.home(r json) returns json
language plpgsql volatile as $$
begin
  if portal.client() is not null then
    return portal.redirect('documents');
  end if;
  return portal.redirect('~clients');
end
$$;

-- The person's clients, 50 at a time, by name.
create or replace function portal.clients_list(r json, kind text) returns json
language plpgsql stable set search_path = portal, pg_temp as $$
declare
  after uuid;
  after_name text;
  rows json;
  n integer;
  last uuid;
begin
  if r -> 'query' ->> 'after' is not null then
    select c.id, c.name into after, after_name
    from portal.client c where c.id = portal.uuid_or_null(r -> 'query' ->> 'after');
    if after is null then
      perform portal.refuse(400);
    end if;
  end if;

  select json_agg(json_build_object('name', x.name, 'slug', x.slug, 'number', x.number, 'current', false)
                  order by x.name, x.id) filter (where x.i <= 50),
         count(*), (array_agg(x.id order by x.name, x.id))[50]
  into rows, n, last
  from (select c.id, c.name, c.slug, c.number, row_number() over (order by c.name, c.id) as i
        from portal.client c
        where c.id = any ((select portal.client_ids())::uuid[]) and c.closed_at is null
          and (after is null or (c.name, c.id) > (after_name, after))
        order by c.name, c.id limit 51) x;

  return json_build_object('kind', kind, 'clients', coalesce(rows, '[]'), 'more', n > 50,
                           'next', case when n > 50 then last end);
end
$$;

create or replace function portal.clients(r json) returns json
language plpgsql stable as $$
begin
  return portal.clients_list(r, 'client');
end
$$;

create or replace function portal.clients_as_staff(r json) returns json
language plpgsql stable as $$
begin
  return portal.clients_list(r, 'staff');
end
$$;

-- "Firefox sur Windows" from a User-Agent: browser, system, kind of device.
create or replace function portal.agent_words(agent text, out browser text, out system text, out device text)
language plpgsql immutable set search_path = portal, pg_temp as $$
begin
  browser := case
    when agent ~ 'Edg/' then 'Edge'
    when agent ~ 'OPR/' then 'Opera'
    when agent ~ 'Firefox/|FxiOS/' then 'Firefox'
    when agent ~ 'Chrome/|CriOS/' then 'Chrome'
    when agent ~ 'Safari/' then 'Safari'
    when agent ~ '^curl/' then 'curl'
  end;
  system := case
    when agent ~ 'iPhone' then 'iPhone'
    when agent ~ 'iPad' then 'iPad'
    when agent ~ 'Android' then 'Android'
    when agent ~ 'Windows' then 'Windows'
    when agent ~ 'Macintosh|Mac OS X' then 'macOS'
    when agent ~ 'CrOS' then 'ChromeOS'
    when agent ~ 'Linux' then 'Linux'
  end;
  device := case when agent ~ 'iPhone|iPad|Android|Mobile|Tablet' then 'phone' else 'computer' end;
end
$$;

-- Where the person is signed in; ten at most, so no pages.
create or replace function portal.sessions(r json) returns json
language plpgsql stable as $$
declare
  me uuid := portal.person_id();
  own bytea := decode(current_setting('portal.session', true), 'hex');
  rows json;
  n integer;
begin
  select json_agg(json_build_object(
           'id', s.id, 'current', s.token_hash = own, 'device', a.device, 'browser', a.browser, 'system', a.system,
           'network', s.ip, 'seen', portal.local_time(s.last_seen), 'created', portal.local_time(s.created_at))
         order by s.token_hash = own desc, s.last_seen desc, s.id), count(*)
  into rows, n
  from portal.session s, portal.agent_words(s.agent) a
  where s.person_id = me and s.absolute_end > now() and s.last_seen + make_interval(secs => s.idle) > now();

  return json_build_object('sessions', coalesce(rows, '[]'), 'others', n > 1);
end
$$;

create or replace function portal.session_revoke(r json) returns json
language plpgsql volatile as $$
declare
  wanted uuid := portal.uuid_or_null(r -> 'path' ->> 'id');
begin
  delete from portal.session s where s.id = wanted and s.person_id = portal.person_id();

  if not found then
    return portal.refuse(404);
  end if;

  perform portal.audit_add('session.revoked', wanted);
  return portal.redirect('sessions', 'session_revoked');
end
$$;

create or replace function portal.sessions_revoke_others(r json) returns json
language plpgsql volatile as $$
begin
  delete from portal.session s
  where s.person_id = portal.person_id()
    and s.token_hash <> decode(current_setting('portal.session', true), 'hex');

  perform portal.audit_add('session.revoked_others');
  return portal.redirect('sessions', 'sessions_revoked');
end
$$;

-- Language and theme; one of them is enough.
create or replace function portal.preferences(r json) returns json
language plpgsql volatile as $$
declare
  f json := coalesce(r -> 'form', '{}');
  new_locale text := f ->> 'locale';
  new_theme text := f ->> 'theme';
  next text := coalesce(f ->> 'next', '');
begin
  if new_locale is not null and new_locale not in ('fr', 'en') then
    return portal.refuse(422, '{"locale":"locale.invalid"}');
  end if;
  if new_theme is not null and new_theme not in ('auto', 'light', 'dark') then
    return portal.refuse(422, '{"theme":"theme.invalid"}');
  end if;

  update portal.person p
  set locale = coalesce(new_locale, p.locale), theme = coalesce(new_theme, p.theme)
  where p.id = portal.person_id();

  -- "next" is a path below the base of the page that the form stood on
  if length(next) > 2000 or next !~ '^[A-Za-z0-9][A-Za-z0-9/_.?=&%+-]*$' or next ~* '(^|/)(\.|%2e){1,2}(/|$)|//' then
    next := case when portal.client() is null then '~clients' else 'documents' end;
  end if;
  return portal.redirect(next, 'preferences_saved');
end
$$;

select portal.page('home', access => 'any', client => 'portal.home', staff => 'portal.home', needs_client => false,
                   owner => 'portal_gate');
select portal.page('clients', access => 'any', client => 'portal.clients', staff => 'portal.clients_as_staff',
                   needs_client => false);
select portal.page('sessions', access => 'any', client => 'portal.sessions', staff => 'portal.sessions',
                   needs_client => false, owner => 'portal_gate');
select portal.page('session_revoke', access => 'any', client => 'portal.session_revoke', staff => 'portal.session_revoke',
                   needs_client => false, owner => 'portal_gate');
select portal.page('sessions_revoke_others', access => 'any', client => 'portal.sessions_revoke_others',
                   staff => 'portal.sessions_revoke_others', needs_client => false, owner => 'portal_gate');
select portal.page('preferences', access => 'any', client => 'portal.preferences', staff => 'portal.preferences',
                   needs_client => false, owner => 'portal_gate');

grant execute on function portal.clients_list(json, text) to portal_as_client, portal_as_staff;
grant execute on function portal.agent_words(text) to portal_gate;
