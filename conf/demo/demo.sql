-- The demonstration, from documents.tsv and people.tsv of the current folder;
-- one transaction, run as the superuser.  Ids follow from names, so that they
-- are the same everywhere.

create function pg_temp.id(kind text, name text) returns uuid
language sql as $$ select md5(kind || ':' || name)::uuid $$;

create temporary table people (
  ops integer, mem_kib integer, salt text, verifier text,
  email text, password text, role text, clients text, name text,
  presets text, title text, locale text, shown text
) on commit drop;

create temporary table papers (
  n integer generated always as identity,
  client text, category text, title text, name text, hash text, size bigint,
  mime text, kind text, inline boolean, date date, deposited boolean,
  author text, fresh integer
) on commit drop;

\copy people from people.tsv
\copy papers (client, category, title, name, hash, size, mime, kind, inline, date, deposited, author, fresh) from documents.tsv

insert into portal.category (slug, label_fr, label_en, position, retention) values
  ('declarations', 'Déclarations', 'Tax returns', 100, '10 years'),
  ('paie', 'Paie', 'Payroll', 200, '5 years'),
  ('bilans', 'Bilans', 'Annual accounts', 300, '10 years'),
  ('attestations', 'Attestations', 'Certificates', 400, '5 years'),
  ('contrats', 'Contrats', 'Contracts', 500, '10 years'),
  ('courriers', 'Courriers', 'Letters', 600, '10 years'),
  ('depots', 'Vos dépôts', 'Your uploads', 900, '10 years')
on conflict (slug) do nothing;

insert into portal.person (id, email, email_key, name, kind, locale, created_at)
select pg_temp.id('person', p.email), p.email, lower(p.email), p.name,
  case when p.role = 'client' then 'client' else 'staff' end, p.locale, now() - interval '400 days'
from people p;

insert into portal.credential (person_id, ops, mem_kib, salt, verifier)
select pg_temp.id('person', p.email), p.ops, p.mem_kib, decode(p.salt, 'hex'), decode(p.verifier, 'hex')
from people p;

insert into portal.staff (person_id, role, title, phone)
select pg_temp.id('person', p.email), p.role, p.title, '02 61 91 04 12'
from people p
where p.role <> 'client';

insert into portal.client (id, number, slug, name, contact_id)
select pg_temp.id('client', c.slug), c.number, c.slug, c.name, pg_temp.id('person', c.contact)
from (values
  ('0417', 'boulangerie-aubert', 'Boulangerie Aubert', 'claire.delmas@cabinet-martin.example'),
  ('0288', 'transports-kermadec', 'Transports Kermadec', 'claire.delmas@cabinet-martin.example'),
  ('0366', 'menuiserie-le-goff', 'Menuiserie Le Goff', 'claire.delmas@cabinet-martin.example'),
  ('0931', 'atelier-nova', 'Atelier Nova', 'claire.delmas@cabinet-martin.example'),
  ('0672', 'sci-du-four', 'SCI du Four', 'paul.martin@cabinet-martin.example'),
  ('0540', 'garage-tanguy', 'Garage Tanguy', 'nadia.roux@cabinet-martin.example')
) c (number, slug, name, contact);

insert into portal.membership (person_id, client_id, preset)
select pg_temp.id('person', p.email), pg_temp.id('client', m.slug), m.preset
from people p, unnest(string_to_array(p.clients, ','), string_to_array(p.presets, ',')) m (slug, preset)
where p.role = 'client';

insert into portal.portfolio (person_id, client_id)
select pg_temp.id('person', x.name || '@cabinet-martin.example'), pg_temp.id('client', x.slug)
from (values
  ('claire.delmas', 'boulangerie-aubert'), ('claire.delmas', 'transports-kermadec'),
  ('claire.delmas', 'menuiserie-le-goff'), ('claire.delmas', 'atelier-nova'),
  ('nadia.roux', 'boulangerie-aubert'), ('nadia.roux', 'transports-kermadec'),
  ('nadia.roux', 'garage-tanguy')
) x (name, slug);

-- "fresh" ones were published so many days ago, whenever that is; nothing is
-- published in the future, should the clock be behind
insert into portal.document (id, client_id, category, title, name, hash, size, mime, kind, inline, date, deposited,
                             author_id, author, published_at, accepted_at)
select pg_temp.id('document', d.client || '/' || d.n), pg_temp.id('client', d.client), d.category, d.title, d.name,
  decode(d.hash, 'hex'), d.size, d.mime, d.kind, d.inline, d.date, d.deposited, pg_temp.id('person', d.author), p.name,
  x.published_at, case when d.deposited and d.date < '2026-11-10' then x.published_at + interval '1 hour' end
from papers d
join people p on p.email = d.author
cross join lateral (
  select case when d.fresh is null then least(d.date + time '09:12', now() - interval '1 day' - d.n * interval '1 second')
              else now() - d.fresh * interval '1 day' - interval '40 minutes' end as published_at
) x
order by d.n;

update portal.client c
set used_files = d.files, used_bytes = d.bytes
from (select client_id, count(*) as files, sum(size) as bytes from portal.document where deposited group by 1) d
where d.client_id = c.id;

-- each person has seen what is older than the fresh ones; who was never there
-- finds all of the last weeks new
insert into portal.opening (document_id, person_id, session_id, client_id, opened_at)
select d.id, m.person_id, pg_temp.id('session', m.person_id || '/' || d.date), d.client_id,
  d.published_at + interval '1 minute'
from papers x
join portal.document d on d.hash = decode(x.hash, 'hex') and d.client_id = pg_temp.id('client', x.client)
join portal.membership m on m.client_id = d.client_id and m.preset = 'owner'
where x.fresh is null and d.date > '2026-06-30' and not d.deposited;

analyze;
