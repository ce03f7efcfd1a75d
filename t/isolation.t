#!/usr/bin/perl

# No way from one client to another but those that the matrix asks for: SQL
# on connections of its own, what a page shows and links to, forms with more
# fields than they have (AC9, AC16, S-28, S-40, S-41, S-42, S-44, S-45).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
$t->run;

my $db = $t->db;
my $mount = '/espace-client/';

sub json { return JSON::PP->new->canonical->encode($_[0]) }

# a new connection, where no setting of ours was ever made: no row of any
# table, for any command

my @tables = map { $_->{name} } $db->rows(q{select relname as name
    from pg_class where relnamespace = 'portal'::regnamespace
    and relkind = 'r' and relrowsecurity order by 1});

for my $role (qw(portal_as_client portal_as_staff portal_as_job portal_web
    portal_owner))
{
    my $dbh = $db->_connect('postgres');
    my @found;
    $dbh->do("set session authorization $role");

    for my $table (@tables) {
        for my $try ([ select => "select * from portal.$table" ],
            [ delete => "delete from portal.$table" ],
            [ copy => "copy portal.$table to stdout" ],
            [ copy => "copy (select * from portal.$table) to stdout" ])
        {
            my ($command, $sql) = @$try;
            my $n = eval { $dbh->do($sql) };
            my $state = $dbh->state;
            my $row = '';

            if (!defined $n) {
                push @found, "$command $table: $state" if $state ne '42501';
                next;
            }

            if ($command eq 'copy') {
                $n = 0;
                $n++ while $dbh->pg_getcopydata($row) >= 0;
            }

            push @found, "$command $table: $n rows" if $n > 0;
        }
    }

    is(join(', ', @found), '', "$role on a new connection: nothing");

    # … nor can it become another
    for my $other (qw(portal_gate portal_owner portal_admin postgres)) {
        next if $other eq $role;
        eval { $dbh->do("set role $other") };
        is($dbh->state, '42501', "$role does not become $other");
    }

    $dbh->disconnect;
}

# every page, as the first call of a connection: what it needs is not what
# an earlier call has left there

my @pages = map { $_->{name} } $db->rows('select name from portal.page');
my %session = map { $_ => $t->session_for($_) }
    qw(owner reader bob empty both admin manager collaborator);
my $document = ($t->documents('alpha'))[0]{id};

sub call {
    my ($web, $who, $page, %o) = @_;

    return $web->row('select * from portal.call(?, ?, ?, ?, ?, ?)',
        $who ? \$t->{keys}->hash($session{$who}) : undef, $page,
        $o{method} // 'GET', $o{client}, json({ path => { id => $document },
            query => {}, %{ $o{request} // {} } }), 'nonce');
}

my @failed;

for my $page (@pages) {
    for my $who (undef, sort keys %session) {
        for my $client (undef, 'alpha') {
            my $web = $db->web;
            my $row = eval { call($web, $who, $page, client => $client) };
            my $state = $web->{dbh}->state;

            # a page that writes, asked by GET
            push @failed, join ' ', $page, $who // 'nobody', $client // '-',
                $state if !$row && $state ne '25006';
            $web->disconnect;
        }
    }
}

is(join("\n", @failed), '', 'each page is the first of a connection');

# nothing of a call stays on the connection

my $web = $db->web;
my $settings = q{select coalesce(string_agg(name || '=' || setting, ' '
    order by name), '') from pg_settings where source not in ('default',
    'override') and name not in ('application_name')};
my $own = join ' || ',
    map { "coalesce(current_setting('portal.$_', true), '')" } qw(session client location flash ip request locale);
my $before = $web->value($settings);

for my $who (undef, sort keys %session) {
    for my $page (@pages) {
        eval { call($web, $who, $page, client => 'alpha', method => $_) }
            for qw(GET POST);
    }

    is($web->value("select $own"), '', ($who // 'nobody')
        . ': no identity stays');
}

is($web->value($settings), $before, 'no setting stays');
is($web->value(q{select count(*) from pg_locks where pid = pg_backend_pid()
    and locktype = 'advisory'}), 0, 'no lock');
is($web->value(q{select current_setting('transaction_read_only')}), 'off',
    'nor read-only');
$web->disconnect;
%session = map { $_ => $t->session_for($_) } keys %session;

# whoever reads, reads nothing of another client: every page that is linked
# to, from the first one on

my %marks = (alpha => qr/MARKalpha|Alpha SARL|alice\@|Alice|rene\@|A-100/,
    bravo => qr/MARKbravo|Bravo &amp; Fils|bob\@|Bob Bravo|B-100/,
    charlie => qr/Charlie &lt;SA|eve\@|Eve |C-100/);

sub crawl {
    my ($c, $each) = @_;
    my @todo = ('', 'documents', 'clients', 'sessions', 'documents?q=MARK',
        'documents?q=bravo', 'documents?sort=name', 'documents?sort=unread');
    my (%seen, @pages);

    while (defined(my $path = shift @todo)) {
        next if $seen{$path}++ || keys %seen > 120;
        my $r = $c->get($path);
        push @pages, $r;
        $each->($path, $r);

        if (my $to = $r->location) {
            push @todo, $to if $to =~ s/^\Q$mount\E//;
        }

        next if ($r->header('Content-Type') // '') !~ /html/;

        for ($r->body =~ /(?:href|src|action)="\Q$mount\E([^"#]*)/g) {
            s/&amp;/&/g;
            push @todo, $_ if !m{^assets/};
        }
    }

    return @pages;
}

my %reads = map { $_ => $t->client(as => $_) }
    qw(empty owner reader bob both collaborator);
my $checksum = sub { $db->checksum =~ s/ \S+ \S+$//r };
my $sum = $checksum->();
my @ids;

for my $case ([ empty => qw(alpha bravo) ], [ owner => qw(bravo charlie) ],
    [ reader => qw(bravo charlie) ], [ bob => qw(alpha charlie) ],
    [ both => 'charlie' ], [ collaborator => qw(bravo charlie) ])
{
    my ($who, @foreign) = @$case;
    my (@leaks, @faults);

    my @pages = crawl($reads{$who}, sub {
        my ($path, $r) = @_;
        my $text = $r->head . $r->body;
        push @leaks, "$path: $_" for grep { $text =~ $marks{$_} } @foreign;
        push @faults, "$path: " . $r->status if $r->status >= 500;
        push @ids, $path if $r->status == 200;

        # a page that is about one of two clients shows one
        if ($who eq 'both' && $path =~ m{^c/(alpha|bravo)/(?!clients)}) {
            my $other = $1 eq 'alpha' ? 'bravo' : 'alpha';
            push @leaks, "$path: $other" if $text =~ /MARK$other|$other\@/;
        }
    });

    is(join("\n", @leaks), '', "$who: nothing foreign on " . @pages
        . ' pages');
    is(join("\n", @faults), '', "$who: no page fails");
    cmp_ok(scalar @pages, '>', 8, "$who: pages there were");
}

is($checksum->(), $sum, 'reading changes nothing');
is(join(' ', grep { m{(?:^|/)\d+(?:[/?]|$)} } @ids), '',
    'no number in an address says how many there are');
my $hex = qr/[0-9a-f]/;
my $uuid = qr/$hex{8}-$hex{4}-4$hex{3}-[89ab]$hex{3}-$hex{12}/;
is(join(' ', grep { m{documents/([^/?]+)} && $1 !~ /^$uuid$/ } @ids), '',
    'ids are random ones');

# a person of two clients: addresses and forms say which

my $both = $t->client(as => 'both');
my ($alpha, $bravo) = map { ($t->documents($_))[0]{id} } qw(alpha bravo);

is($both->get('documents')->location, "${mount}clients", 'which of the two');
is($both->get("c/alpha/documents/$bravo")->location,
    "${mount}c/bravo/documents/$bravo", 'a link of the other leads there');
like($both->get("c/bravo/documents/$bravo")->text,
    qr/Bravo & Fils/, '… and says which');
ok(!$both->cookie('flash'), '… with a notice that is shown once');
is($both->get("c/alpha/documents/$bravo", accept => 'json')->status, 404,
    'a program is not led anywhere');
is($both->get("c/alpha/documents/$bravo/file")->status, 404,
    'nor is a file');
is($both->get("c/bravo/documents/$bravo/file")->status, 200,
    '… but at its own client');

my $mine = $db->document(client => 'bravo', deposited => 't',
    author_id => $t->id('both'), title => 'Mine');
is($both->post("c/alpha/documents/$mine->{id}/delete", {})->status, 404,
    'a form never switches');
is($both->post("c/bravo/documents/$mine->{id}/delete", {},
    form_client => 'alpha')->status, 409, 'nor is one of another taken');
is($both->post("documents/$mine->{id}/delete", {},
    form_client => 'bravo')->status, 404, 'nor where no address says which');
is($db->value('select live from portal.document where id = ?', $mine->{id}),
    1, 'nothing is written');
is($both->post("c/bravo/documents/$mine->{id}/delete", {})->status, 303,
    'the right one is');

# two tabs, one of each, do not mix

for (1 .. 3) {
    for my $pair ([ alpha => 'bravo' ], [ bravo => 'alpha' ]) {
        my ($here, $there) = @$pair;
        my $r = $both->get("c/$here/documents");
        like($r->body, qr/MARK$here/, "the tab of $here");
        unlike($r->body, qr/MARK$there/, "… is not that of $there");
        is($r->hidden->{client} // $here, $here, '… nor are its forms');
    }
}

# more fields than a form has: ignored or refused, never obeyed

my %more = (user_id => $t->id('bob'), person_id => $t->id('bob'),
    client_id => $t->id('bravo'), role => 'admin', kind => 'staff',
    owner => 'bob', is_staff => 'true', status => '200', amount => '0',
    id => ($t->documents('bravo'))[1]{id}, author_id => $t->id('bob'),
    accepted_at => '2026-01-01', deposited => 'false', preset => 'owner',
    'path' => 'x', html => 'false', ip => '1.2.3.4', files => '[]');
my @who = (owner => 'alpha', reader => 'alpha', both => 'bravo');

while (my ($who, $slug) = splice @who, 0, 2) {
    my $c = $t->client(as => $who);
    my $foreign = join ',', sort map { $_->{row} } $db->rows(q{select
        (d.*)::text as row from portal.document d where client_id = ?},
        $t->id($slug eq 'alpha' ? 'bravo' : 'alpha'));
    my $people = $db->value(q{select md5(string_agg((p.*)::text, '' order by
        id)) from portal.person p where id <> ?}, $t->id($who));
    my $own = $db->document(client => $slug, deposited => 't',
        author_id => $t->id($who), title => 'Own');
    my $other = $t->session_for($who);
    my $id = $db->value('select id from portal.session where token_hash = ?',
        \$t->{keys}->hash($other));

    for my $case ([ 'preferences', { theme => 'dark' } ],
        [ "documents/$alpha/delete", {} ],
        [ "documents/$own->{id}/delete", {} ], [ "sessions/$id/revoke", {} ])
    {
        my ($path, $form) = @$case;

        for my $json (0, 1) {
            my $method = $json ? 'post_json' : 'post';
            my $r = $c->$method("c/$slug/$path", { %more, %$form });
            cmp_ok($r->status, '<', 500, "$who: more fields, $path: "
                . $r->status);
        }
    }

    my $r = $c->post_multipart("c/$slug/documents", [
        map({ [ $_ => $more{$_} ] } grep { $_ ne 'files' } sort keys %more),
        [ files => "content\n", "of-$who.txt", 'text/plain' ] ]);
    is($r->status, $who eq 'reader' ? 403 : 303, "$who: a deposit");

    is(join(',', sort map { $_->{row} } $db->rows(q{select
        (d.*)::text as row from portal.document d where client_id = ?},
        $t->id($slug eq 'alpha' ? 'bravo' : 'alpha'))), $foreign,
        '… no foreign document is touched');
    is($db->value(q{select md5(string_agg((p.*)::text, '' order by id))
        from portal.person p where id <> ?}, $t->id($who)), $people,
        '… nor person');

    next if $who eq 'reader';
    my $row = $db->row(q{select c.slug, d.author_id, d.deposited,
        d.accepted_at from portal.document d join portal.client c
        on c.id = d.client_id where d.name = ?}, "of-$who.txt");
    is("$row->{slug} $row->{author_id} $row->{deposited} "
        . ($row->{accepted_at} // '-'), "$slug " . $t->id($who) . ' 1 -',
        '… the deposit is theirs');
}

# the same name twice, or as a list

my $c = $t->client(as => 'owner');

for my $case ([ [ theme => 'dark', theme => 'light' ], 'twice' ],
    [ [ 'theme[]' => 'dark' ], 'as a list' ],
    [ [ client => 'alpha', client => 'bravo', theme => 'dark' ],
        'two clients' ])
{
    my ($form, $name) = @$case;
    my $r = $c->post('c/alpha/preferences', $form);
    ok($r->status == 400 || $name eq 'as a list' && $r->status == 303,
        "a field $name: " . $r->status);
}

for my $case ([ '{"csrf":"%s","theme":["dark"]}', 400 ],
    [ '{"csrf":"%s","theme":{"a":"dark"}}', 400 ],
    [ '{"csrf":"%s","theme":"dark","theme":"light"}', 400 ],
    [ '{"csrf":"%s","client":"alpha","client":"bravo"}', 400 ],
    [ '{"csrf":"%s","client":"bravo","theme":"dark"}', 409 ],
    [ '["%s"]', 400 ], [ '"%s"', 400 ], [ '{"csrf":"%s"', 400 ])
{
    my ($text, $status) = @$case;
    is($c->post_json('c/alpha/preferences', sprintf $text, $c->csrf)->status,
        $status, "$text: $status");
}

$t->done;
