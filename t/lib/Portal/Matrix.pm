package Portal::Matrix;

# Who may do what: every route by every method, by every kind of visitor, on
# every kind of object, at every address; what comes of each is computed from
# the routes of the configuration and the registry of the database by a model
# that shares nothing with the module.
#
#     my $t = Portal::Test->new(seed => 0);
#     $t->run;
#     my $m = Portal::Matrix->new($t, %o);
#     $m->plant;                  # two clients of their own and a foreign one
#     $m->run;                    # asks, in a few processes
#     $m->report;                 # tests: one a visitor, then what was written
#
# Every text of a client's (names, numbers, titles, files) holds its mark,
# Q.alpha.Q: an answer with the mark of a client that its visitor may not see,
# or at an address of another, is a leak, whatever its status.
#
# Each answer is checked for: its status; where it leads to; marks; that it
# is, byte for byte but for what is masked, the same as all other refusals of
# this route, method and visitor with this status, so that a foreign client
# or object is as absent as one that never was.  Afterwards: rows that were
# changed, and no others; a row of the audit for each refusal of a session.
#
# Options:
#     mode      ''        all barriers are up
#               'open'    the worker checks nothing (portal_test_open)
#               'client'  portal.client() answers with the attacked client
#               'rls'     no row-level security
#               Each of the three holds without the others: what changes is
#               which refusal it is, never that it is one.
#     sample    n         one cell of n (of those that change nothing)
#     jobs      n         processes

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Storable qw(store retrieve);
use Test::More ();
use Time::HiRes qw(time);

use constant { WINDOW => 16, TIMEOUT => 20 };

my @METHODS = qw(GET HEAD POST PUT DELETE PATCH OPTIONS PURGE);

# slugs of one length: answers for any two of them have one length too
my %CLIENTS = map { $_ => 1 } qw(alpha bravo xenon);

my @ADDRESSES = ('', qw(alpha bravo xenon ghost BOGUS));

my %PRINCIPALS = (
    nobody => {},
    garbage => { cookie => 'x' x 54 },
    unknown => { token => 1 },
    alice => { clients => { alpha => 'owner' } },
    reader => { clients => { alpha => 'reader' } },
    bob => { clients => { bravo => 'owner' } },
    xavier => { clients => { xenon => 'owner' } },
    both => { clients => { alpha => 'owner', bravo => 'owner' } },
    left => { clients => {}, ended => ['alpha'] },
    disabled => { clients => { alpha => 'owner' }, dead => 1,
        person => { disabled_at => '2026-01-01' } },
    expired => { clients => { alpha => 'owner' }, dead => 1,
        session => { absolute_end => '1 minute' } },
    idle => { clients => { alpha => 'owner' }, dead => 1,
        session => { last_seen => '31 minutes' } },
    collab => { staff => 'collaborator', portfolio => ['alpha'] },
    lonely => { staff => 'collaborator', portfolio => [] },
    manager => { staff => 'manager' },
    admin => { staff => 'admin' },
    fired => { staff => '', dead => 1 },
);

# documents: of a client, in a state; "mine" are made for each cell
my %DOCUMENTS = (
    (map { $_ => { client => $_, state => 'there' },
        "mine $_" => { client => $_, state => 'mine' } } keys %CLIENTS),
    plain => { client => 'alpha', state => 'plain' },
    old => { client => 'alpha', state => 'old' },
    gone => { client => 'alpha', state => 'gone' },
    withdrawn => { client => 'alpha', state => 'gone' },
    future => { client => 'alpha', state => 'gone' },
    random => { state => 'gone' },
    bad => { state => 'bad' },
);

my %SESSIONS = (mine => 1, foreign => 1, random => 1, bad => 1);


sub new {
    my ($class, $t, %o) = @_;
    my $self = bless { t => $t, mode => '', sample => 1, jobs => 3, %o },
        $class;
    $self->{mount} = $t->{portals}[0]{mount};
    $self->{routes} = $self->_routes;
    $self->{registry} = { map { $_->{name} => $_ }
        $t->db->rows('select * from portal.page') };
    return $self;
}


# The portal_page lines of the configuration; a later one of the same method
# and path replaces an earlier one.
sub _routes {
    my ($self) = @_;
    my (@routes, %seen);

    for my $file (sort glob "$self->{t}{dir}/pages/*.conf") {
        my $text = $self->{t}->read($file);
        $text =~ s/#.*//g;

        for ($text =~ /\bportal_page\s+([^;]+);/g) {
            my ($method, $path, $name, @rest) = split;
            my %o = map { split /=/, $_, 2 } @rest;
            my $r = { method => $method, path => $path,
                name => $name eq '-' ? '' : $name,
                access => $o{access} // 'any', action => $o{action} // '' };

            if (defined(my $i = $seen{"$method $path"})) {
                $routes[$i] = $r;
                next;
            }

            $seen{"$method $path"} = push(@routes, $r) - 1;
        }
    }

    return \@routes;
}


sub paths {
    my ($self) = @_;
    my %paths;
    $paths{ $_->{path} }{ $_->{method} } = $_ for @{ $self->{routes} };
    return \%paths;
}


# Rows and files.

# no token in base64 looks like one
sub mark { return "Q.$_[0].Q" }


sub plant {
    my ($self) = @_;
    my $t = $self->{t};
    my $db = $t->db;
    my $n = 0;

    for my $slug (sort keys %CLIENTS) {
        $self->{ids}{$slug} = $db->client(slug => $slug,
            name => mark($slug) . ' SARL', number => mark($slug));
    }

    for my $key (sort keys %PRINCIPALS) {
        my $p = { key => $key, %{ $PRINCIPALS{$key} } };
        $p->{ip} = '127.0.1.' . ++$n;
        $p->{pre} = $t->{keys}->token(purpose => '-pre');
        $self->{principals}{$key} = $p;
        $self->_person($p) if $p->{clients} || defined $p->{staff};
        $p->{live} = $p->{id} && !$p->{dead};

        $p->{token} = $t->{keys}->token if $p->{token};

        my %session = map { $_ => $db->value('select now() - ?::interval',
            $p->{session}{$_}) } keys %{ $p->{session} // {} };
        $p->{token} //= $t->session_for($p->{id}, %session) if $p->{id};
        push @{ $t->{secrets} }, $p->{token} if $p->{token};

        my $owner = $p->{live} ? $p->{token} : $p->{pre};
        $p->{csrf} = $t->{keys}->csrf($owner);
    }

    # each refusal is looked for, and there are more than are kept in a minute
    $db->do('alter table portal.audit disable trigger audit_refused');

    $self->_documents;
    return;
}


sub _person {
    my ($self, $p) = @_;

    $p->{id} = $self->_twin($p);
    $p->{sees} = !defined $p->{staff} ? { %{ $p->{clients} } }
        : $p->{staff} ne 'collaborator' ? { %CLIENTS }
        : { map { $_ => 1 } @{ $p->{portfolio} } };
    return;
}


# A person with the rights of this one.
sub _twin {
    my ($self, $p) = @_;
    my $db = $self->{t}->db;
    my $n = $self->{twins}++;
    my %o = (email => "$p->{key}-$n\@matrix.example", name => $p->{key},
        password => 0, %{ $p->{person} // {} });

    return $p->{staff} eq '' ? $db->person(%o, kind => 'staff')
        : $db->staff(%o, role => $p->{staff},
            portfolio => $p->{portfolio} // []) if defined $p->{staff};

    my $id = $db->person(%o, clients => $p->{clients});
    $db->_insert('membership', [ { person_id => $id,
        client_id => $self->{ids}{$_}, ended_at => '2026-01-01' } ])
        for @{ $p->{ended} // [] };
    return $id;
}


sub _content {
    my ($client, $what) = @_;
    my $mark = mark($client);
    return "%PDF-1.4\n% $mark $what\n1 0 obj<</Type/Catalog>>endobj\n"
        . "trailer<</Root 1 0 R>>\n%%EOF\n";
}


sub _documents {
    my ($self) = @_;
    my $db = $self->{t}->db;
    my @list;

    for my $key (sort keys %DOCUMENTS) {
        my $d = $DOCUMENTS{$key};
        my $client = $d->{client} or next;
        next if $d->{state} eq 'mine';
        my $mark = mark($client);

        push @list, { key => $key, client => $client,
            title => "$mark $key", name => "$mark-$key.pdf",
            author => $mark, mime => 'application/pdf',
            content => _content($client, $key) };

        my $o = $list[-1];
        @$o{qw(mime name content)} = ('text/plain', "$mark-$key.txt",
            "$mark $key\n") if $key eq 'plain';
        $o->{deleted_at} = '2026-05-01' if $key eq 'gone';
        $o->{withdrawn_at} = '2026-05-01' if $key eq 'withdrawn';
        $o->{published_at} = '2099-01-01' if $key eq 'future';
    }

    for my $o (@list) {
        my $key = delete $o->{key};
        $self->{objects}{$key} = $db->document(%$o)->{id};
    }

    $db->do('update portal.document set replaced_by = ? where id = ?',
        $self->{objects}{alpha}, $self->{objects}{old});
    $self->{objects}{random} = $db->value('select gen_random_uuid()');
    $self->{objects}{bad} = 'not-an-id';
    return;
}


# The cells.

sub _objects {
    my ($self, $path) = @_;
    return ('') if $path !~ /:id/;
    return sort keys %SESSIONS if $path =~ m{^/sessions/};
    return sort keys %DOCUMENTS if $path =~ m{/delete$};
    return grep { !/^mine/ } sort keys %DOCUMENTS;
}


sub cells {
    my ($self) = @_;
    my $paths = $self->paths;
    my @cells;
    my $i = 0;

    $paths->{$_} = {} for '/nothing', '/documents/:id/nothing', '/c';

    for my $path (sort keys %$paths) {
        for my $key (sort keys %PRINCIPALS) {
            for my $method (@METHODS) {
                push @cells, $self->_of($path, $paths->{$path}, $method,
                    $self->{principals}{$key});
            }
        }
    }

    # those that change something must all be there: their sum is checked
    @cells = grep { $_->{effect} || $i++ % $self->{sample} == 0 } @cells
        if $self->{sample} > 1;

    $self->_make(\@cells);
    return \@cells;
}


sub _of {
    my ($self, $path, $methods, $method, $p) = @_;
    my $route = $methods->{ $method eq 'HEAD' ? 'GET' : $method };
    my @variants = ({});
    my @cells;

    if ($route && $method =~ /^(?:GET|HEAD)$/) {
        @variants = ({}, { json => 1 });

    } elsif ($route) {
        @variants = ({ form => 'same' }, { form => 'none' },
            { form => 'other' }, { form => 'foreign' }, { form => 'ghost' },
            { form => 'same', json => 1 });
    }

    # where no page is, it matters little what for
    my @objects = $self->_objects($path);
    @objects = grep { /^(?:|alpha|foreign|random)$/ } @objects if !$route;

    for my $address (@ADDRESSES) {
        for my $object (@objects) {
            for my $variant (@variants) {
                my $c = { p => $p, method => $method, path => $path,
                    route => $route, allowed => $methods,
                    address => $address, object => $object, %$variant };
                $c->{claims} = $self->_claims($c) if $c->{form};
                $c->{want} = $self->expect($c);
                $c->{effect} = $c->{want}{effect};
                push @cells, $c;
            }
        }
    }

    return @cells;
}


# The client that the form names; undef: it names none.
sub _claims {
    my ($self, $c) = @_;
    my $p = $c->{p};
    my $form = $c->{form};

    if ($form eq 'same') {
        return $c->{address} if $c->{address};
        my @own = $p->{staff} ? () : sort keys %{ $p->{sees} // {} };
        return @own == 1 ? $own[0] : undef;
    }

    return undef if $form eq 'none';
    return 'ghost' if $form eq 'ghost';

    if ($form eq 'other') {
        my ($other) = grep { $_ ne $c->{address} }
            sort keys %{ $p->{sees} // {} };
        return $other // 'bravo';
    }

    return $p->{sees}{xenon} ? 'alpha' : 'xenon';
}


# Objects and sessions of cells that change something: one each.
sub _make {
    my ($self, $cells) = @_;
    my $t = $self->{t};
    my $db = $t->db;
    my (@sessions, @documents);
    my $n = 0;
    my $end = $db->value("select now() + interval '12 hours'");

    for my $c (@$cells) {
        my $p = $c->{p};
        $c->{n} = $n++;

        if ($c->{object} =~ /^mine (\w+)/) {
            $c->{id} = $db->value('select gen_random_uuid()');
            push @documents, { id => $c->{id}, client => $1,
                title => mark($1) . ' mine', name => mark($1) . '.txt',
                author => mark($1), author_id => $p->{id},
                deposited => 't', content => undef, size => 10,
                hash => '00' x 32 };
        }

        next if !$p->{live} || !($c->{effect} || $c->{object} eq 'mine');

        # one that ends all others of a person needs a person of its own
        my $effect = $c->{effect} // '';
        my $person = $effect =~ /^others/ ? $self->_twin($p) : $p->{id};
        $c->{token} = $t->{keys}->token if $effect =~ /session/;

        for my $kind ($c->{token} ? 'token' : (),
            $c->{object} eq 'mine' ? 'victim' : ())
        {
            my $id = $db->value('select gen_random_uuid()');
            $c->{$kind eq 'token' ? 'session' : 'id'} = $id;
            push @sessions, { id => $id, person_id => $person,
                idle => 1800, absolute_end => $end,
                token_hash => \$t->{keys}->hash($c->{token}
                    // $t->{keys}->token) };
            $sessions[-1]{token_hash} = \Portal::Token::random(32)
                if $kind eq 'victim';
        }
    }

    while (my @some = splice @sessions, 0, 500) {
        $db->_insert('session', \@some);
    }

    while (my @some = splice @documents, 0, 500) {
        $db->documents(\@some);
    }

    my ($bob, $xavier) = @{ $self->{principals} }{qw(bob xavier)};
    my %session = map { $_->{key} => $db->value('select id from portal.session
        where person_id = ? order by created_at limit 1', $_->{id}) }
        $bob, $xavier;

    for my $c (@$cells) {
        next if $c->{id} || !$c->{object};
        $c->{id} = $c->{object} eq 'foreign'
            ? $session{ $c->{p} == $bob ? 'xavier' : 'bob' }
            : $self->{objects}{ $c->{object} } // $self->{objects}{random};
    }

    $self->{cells} = $cells;
    return;
}


# The model.  What it answers:
#
#   status    [ … ] any of them            location  pattern
#   shows     the clients whose marks may be there; must: a mark that is
#   audit     "detail status", one or [ … ]: the refusal is written there
#   effect    what is changed              alike  compared with its like

sub expect {
    my ($self, $c) = @_;
    my $want = $self->_expect($c);

    # where the address names no client, the room of the form's is asked for
    $want->{audit} = [ $want->{audit}, 'upload 404' ] if $c->{form}
        && !$c->{json} && !$c->{address} && defined $c->{claims}
        && $c->{route}{action} eq 'upload' && $want->{status} eq '409'
        && !$c->{p}{sees}{ $c->{claims} };

    $want->{status} = [ $want->{status} ] if !ref $want->{status};
    $want->{shows} //= [];
    return $want;
}


sub _expect {
    my ($self, $c) = @_;
    my ($p, $route) = @$c{qw(p route)};

    return { status => 404 } if $c->{address} eq 'BOGUS'
        || $c->{object} eq 'bad' || $c->{path} eq '/c' || !%{ $c->{allowed} };

    return { status => $c->{method} eq 'OPTIONS' ? 204 : 405, alike => 1 }
        if !$route;

    # the worker

    my $closed = $self->{mode} ne 'open';

    if ($closed && $route->{access} ne 'public') {
        return $self->_nobody($c) if !$p->{live};
        return { status => 403, alike => 1,
            audit => "$c->{method} $route->{path} 403" }
            if !_level($p, $route->{access});
    }

    # what needs a token of a form, and has none that is good
    my $written = $c->{method} !~ /^(?:GET|HEAD)$/;

    if ($route->{action} eq 'upload') {
        my $status = $self->_room($c);
        return $self->_nobody($c) if $status == 401;
        return { status => $status, audit => "upload $status", alike => 1 }
            if $status != 200;
    }

    # the actions

    return $self->_file($c) if $route->{action} =~ /^(?:file|preview)$/;

    if ($route->{action} eq 'password') {
        # a token that was none is a failure of its network
        return { status => $p->{token} && !$p->{live} ? [ 422, 429 ] : 422 };
    }

    if ($route->{action} eq 'sign_out') {
        return $self->_see($c, '~sign-in',
            $p->{live} ? (effect => 'session ends') : ());
    }

    if (!$route->{name}) {
        return $self->_see($c, '~') if $p->{live}
            && $route->{access} eq 'public';
        return { status => 200 };
    }

    return $self->_page($c, $written);
}


sub _level {
    my ($p, $access) = @_;
    return 1 if $access eq 'public' || $access eq 'any';
    return !defined $p->{staff} if $access eq 'client';
    return defined $p->{staff} if $access eq 'staff';
    return ($p->{staff} // '') eq 'admin';
}


sub _nobody {
    my ($self, $c) = @_;
    return { status => 401, alike => 1 } if $c->{json}
        || $c->{method} !~ /^(?:GET|HEAD)$/;
    return { status => 303, alike => 1,
        location => qr{^\Q$self->{mount}\Esign-in(?:\?next=[^&]*)?$} };
}


# A redirect, as it is told to a browser or to a program.
sub _see {
    my ($self, $c, $to, %o) = @_;
    my $base = $self->{mount} . ($to =~ s/^~// || !$c->{address} ? ''
        : "c/$c->{address}/");
    my $pattern = ref $to ? $to : qr/^\Q$base$to\E$/;

    return $c->{json} ? { status => 200, json_location => $pattern, %o }
        : { status => 303, location => $pattern, %o };
}


# The client of the request: slug, undef; and whether there are several.
sub _client {
    my ($self, $c) = @_;
    my $p = $c->{p};
    my @own = sort keys %{ $p->{sees} };

    if ($c->{address}) {
        return ($p->{sees}{ $c->{address} } ? $c->{address} : undef, 0);
    }

    return (undef, 1) if defined $p->{staff};
    return (@own == 1 ? $own[0] : undef, @own > 1);
}


sub _room {
    my ($self, $c) = @_;
    my $p = $c->{p};

    return 401 if !$p->{live};
    my ($client) = $self->_client($c);
    return 404 if !$client;
    return 403 if defined $p->{staff};
    return 403 if $p->{clients}{$client} eq 'reader';
    return 200;
}


sub _readable {
    my ($d) = @_;
    return $d->{client} && $d->{state} =~ /^(?:there|mine|plain|old)$/;
}


sub _file {
    my ($self, $c) = @_;
    my $p = $c->{p};
    my $d = $DOCUMENTS{ $c->{object} };
    my $absent = { status => 404, audit => 'file 404', alike => 1 };

    return $self->_nobody($c) if !$p->{live};

    if ($c->{address}) {
        my ($client) = $self->_client($c);
        return $absent if !$client || ($d->{client} // '') ne $client;
    }

    return $absent if !_readable($d) || !$p->{sees}{ $d->{client} };

    # what cannot be shown inline is as absent, once it may be read
    return { status => 404 } if $c->{route}{action} eq 'preview'
        && $d->{state} eq 'plain';

    return { status => 200, shows => [ $d->{client} ],
        must => $d->{client} };
}


# Errors that PostgreSQL writes down.
sub _refused {
    my ($self, $c, $status) = @_;
    my $method = $c->{method} eq 'HEAD' ? 'GET' : $c->{method};

    return { status => $status, alike => 1,
        audit => "$method $c->{route}{name} $status" };
}


sub _page {
    my ($self, $c, $written) = @_;
    my ($p, $route) = @$c{qw(p route)};
    my $page = $self->{registry}{ $route->{name} };

    # without a session the form has no token: the worker's own 403
    if ($written && !$p->{live} && $self->{mode} eq 'open') {
        return $self->_nobody($c);
    }

    return $self->_refused($c, 404) if !$page;

    if ($page->{access} ne 'public') {
        return $self->_nobody($c) if !$p->{live};
        return $self->_refused($c, 403) if !_level($p, $page->{access});
    }

    return $self->_refused($c, 403)
        if !$page->{ defined $p->{staff} ? 'staff_function'
            : 'client_function' };

    my ($client, $several) = $self->_client($c);

    if (!$client && $page->{needs_client} && !$c->{address} && $several
        && !$written)
    {
        return $self->_see($c, '~clients');
    }

    return $self->_refused($c, 404)
        if !$client && ($page->{needs_client} || $c->{address});
    return $self->_refused($c, 409)
        if defined $c->{claims} && $c->{claims} ne ($client // '');

    if (my $code = $self->can("_page_$route->{name}")) {
        my $want = $self->$code($c, $client);
        return $want if $self->{mode} ne 'client'
            || !$page->{needs_client} && $route->{name} !~ /^(?:home|pref)/;
        return $self->_without_client($c, $want);
    }

    # a page that this model knows nothing of: granted, and no more is said
    return { status => [ 200, 303, 404, 409, 422 ],
        shows => [ $client // keys %{ $p->{sees} } ] };
}


sub _page_home {
    my ($self, $c, $client) = @_;
    return $self->_see($c, $client ? 'documents' : '~clients');
}


sub _page_clients {
    my ($self, $c) = @_;
    return { status => 200, shows => [ keys %{ $c->{p}{sees} } ] };
}


sub _page_sessions {
    my ($self, $c, $client) = @_;
    return { status => 200, shows => [ $client // () ] };
}


sub _page_preferences {
    my ($self, $c, $client) = @_;
    return $self->_see($c, $client ? 'documents' : '~clients');
}


sub _page_session_revoke {
    my ($self, $c) = @_;
    return $self->_refused($c, 404) if $c->{object} ne 'mine';
    return $self->_see($c, 'sessions', effect => 'object ends');
}


sub _page_sessions_revoke_others {
    my ($self, $c) = @_;
    return $self->_see($c, 'sessions', effect => 'others end, this session');
}


sub _page_documents {
    my ($self, $c, $client) = @_;
    return { status => 200, shows => [$client], must => $client };
}


sub _page_document {
    my ($self, $c, $client) = @_;
    my $p = $c->{p};
    my $d = $DOCUMENTS{ $c->{object} };

    return $self->_refused($c, 404) if !_readable($d)
        || !$p->{sees}{ $d->{client} };

    return { status => 200, shows => [$client], must => $client }
        if $d->{client} eq $client;

    # of another client of theirs: a browser is led there
    return $self->_refused($c, 404) if $c->{json};
    return { status => 303, location =>
        qr{^\Q$self->{mount}\Ec/$d->{client}/documents/[0-9a-f-]{36}$} };
}


sub _page_document_deposit {
    my ($self, $c, $client) = @_;
    return $self->_see($c, qr{/documents/[0-9a-f-]{36}$},
        effect => "deposit $client");
}


sub _page_document_delete {
    my ($self, $c, $client) = @_;
    my $p = $c->{p};
    my $d = $DOCUMENTS{ $c->{object} };

    return $self->_refused($c, 404) if !_readable($d)
        || $d->{client} ne $client;
    return { status => 422, shows => [$client] } if $d->{state} ne 'mine';
    return $self->_see($c, 'documents', effect => 'object deleted');
}


# portal.client() lies to the page: nothing is promised to who may, and
# nothing is given to who may not.
sub _without_client {
    my ($self, $c, $want) = @_;

    return { shows => $want->{shows} // [], audit => 'any',
        status => [ 200, 303, 404, 409, 422, 500 ],
        effect => $want->{effect} && 'any' };
}


# Asking.

sub _forms {
    my ($self, $c) = @_;
    my %form = (csrf => $c->{csrf} // $c->{p}{csrf});
    $form{client} = $c->{claims} if defined $c->{claims};
    $form{theme} = 'auto' if $c->{route}{name} eq 'preferences';
    @form{qw(email password)} = ('', 'x') if $c->{route}{action} eq 'password';
    return \%form;
}


sub _url {
    my ($self, $c) = @_;
    my $path = $c->{path};
    $path =~ s/:id/$c->{id}/;
    $path = "/c/$c->{address}$path" if $c->{address};
    return $self->{mount} . substr $path, 1;
}


sub _bytes {
    my ($self, $c) = @_;
    my $p = $c->{p};
    my $t = $self->{t};
    my $portal = $t->{portals}[0];
    my $cookie = ($portal->{secure} ? '__Host-' : '')
        . "portal-$portal->{name}";
    my $token = $c->{token} // $p->{token} // $p->{cookie};
    my ($type, $body, $extra) = ('', undef, '');

    $c->{csrf} = $t->{keys}->csrf($c->{token}) if $c->{token};

    if ($c->{route} && $c->{method} !~ /^(?:GET|HEAD)$/) {
        ($type, $body, $extra) = $self->_body($c);
    }

    my $head = "$c->{method} " . $self->_url($c) . " HTTP/1.1\r\n"
        . "Host: $portal->{host}\r\nUser-Agent: $p->{key}/$c->{n}\r\n"
        . 'Accept: ' . ($c->{json} ? 'application/json' : 'text/html') . "\r\n"
        . "Cookie: $cookie-pre=$p->{pre}"
        . ($token ? "; $cookie=$token" : '') . "\r\n";

    if ($c->{method} !~ /^(?:GET|HEAD|OPTIONS)$/) {
        $head .= "Origin: $portal->{origin}\r\n"
            . 'Content-Length: ' . length($body // '') . "\r\n";
        $head .= "Content-Type: $type\r\n" if $type;
    }

    return "$head$extra\r\n" . ($body // '');
}


sub _body {
    my ($self, $c) = @_;
    my $form = $self->_forms($c);

    if ($c->{route}{action} eq 'upload') {
        # as the script sends it: no client but the address's
        return ('application/octet-stream', "a deposit\n",
            "X-Portal-Csrf: $form->{csrf}\r\nX-Portal-File: deposit.txt\r\n")
            if $c->{json};

        my @parts = map { [ $_, $form->{$_} ] } sort keys %$form;
        push @parts, [ 'files', "a deposit\n", 'deposit.txt', 'text/plain' ];
        return ('multipart/form-data; boundary=matrix',
            Portal::Client::multipart('matrix', @parts), '');
    }

    return ('application/json', JSON::PP->new->utf8->encode($form), '')
        if $c->{json} && $c->{route}{action} ne 'password';

    return ('application/x-www-form-urlencoded',
        Portal::Client::form($form), '');
}


# Answers in the order of the requests, several of which are under way.
sub _drive {
    my ($self, $p, $cells, $done) = @_;
    my @todo = @$cells;

    while (@todo) {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $self->{t}->port, LocalAddr => $p->{ip},
            Proto => 'tcp', Timeout => TIMEOUT) or die "connect: $@";
        setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;

        my ($buffer, @asked) = ('');
        local $SIG{ALRM} = sub { die 'no answer to '
            . (@asked ? "$asked[0]{method} " . $self->_url($asked[0]) : '?')
            . "\n" };

        while (@todo || @asked) {
            if (@asked < WINDOW / 2 && @todo) {
                my @some = splice @todo, 0, WINDOW - @asked;
                my $bytes = join '', map { $self->_bytes($_) } @some;
                local $SIG{PIPE} = 'IGNORE';
                push @asked, @some;
                last if !defined syswrite $s, $bytes;
            }

            alarm TIMEOUT;
            my ($head, $body, $close) = _answer($s, \$buffer,
                $asked[0]{method});
            alarm 0;
            last if !defined $head;
            $done->(shift @asked, $head, $body);
            last if $close;
        }

        close $s;
        unshift @todo, @asked;
    }

    return;
}


sub _answer {
    my ($s, $buffer, $method) = @_;
    my $end;

    while (($end = index $$buffer, "\r\n\r\n") < 0) {
        sysread $s, $$buffer, 65536, length $$buffer or return;
    }

    my $head = substr $$buffer, 0, $end + 2;
    substr $$buffer, 0, $end + 4, '';
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    die "chunks: $head" if $head =~ /^Transfer-Encoding/mi;
    $length = 0 if $method eq 'HEAD' || $head =~ m{^HTTP/1\.1 (?:204|304)};

    while (length $$buffer < ($length // 0)) {
        sysread $s, $$buffer, 65536, length $$buffer or return;
    }

    return ($head, substr($$buffer, 0, $length // 0, ''),
        $head =~ /^Connection: close/mi);
}


# What of an answer may differ from that of another: what was asked for, and
# what is always new.
sub _masked {
    my ($self, $c, $head, $body) = @_;
    my $text = "$head\r\n$body";

    $text =~ s/^(Date|ETag|Last-Modified): .*?\r\n/$1\r\n/mg;
    $text =~ s/^Connection: .*?\r\n//m;
    $text =~ s/\Q$c->{id}\E/ID/g if $c->{id};
    $text =~ s/(?<=[\/F])c(\/|%2F)\Q$c->{address}\E\b/c$1SLUG/g
        if $c->{address};
    $text =~ s/\b[0-9a-f]{32}\b/REQUEST/g;
    $text =~ s/\b[0-9a-f]{8}\b/REQ/g;
    $text =~ s/nonce(-|=")[A-Za-z0-9_-]{22}/nonce$1/g;
    $text =~ s/[A-Za-z0-9_-]{54,}/TOKEN/g;
    return $text;
}


sub _name {
    my ($self, $c) = @_;
    return join ' ', "$c->{p}{key}: $c->{method}", $self->_url($c),
        $c->{object} ? "($c->{object})" : (),
        $c->{form} ? "form of " . ($c->{claims} // 'none') : (),
        $c->{json} ? 'json' : ();
}


sub _check {
    my ($self, $c, $head, $body, $r) = @_;
    my $want = $c->{want};
    my ($status) = $head =~ m{^HTTP/1\.1 (\d+)};
    my ($location) = $head =~ /^Location: (.*)\r$/m;
    my $name = $self->_name($c);
    my @faults;

    $r->{requests}++;
    $r->{outcomes} += 3;
    push @faults, "$status, not " . join(' or ', @{ $want->{status} })
        if !grep { $_ == $status } @{ $want->{status} };

    if ($want->{location} && ($location // '') !~ $want->{location}) {
        push @faults, 'to ' . ($location // 'nowhere');
    }

    if ($want->{json_location} && $c->{method} ne 'HEAD') {
        my ($to) = $body =~ /"location":"([^"]*)"/;
        push @faults, 'to ' . ($to // 'nowhere')
            if ($to // '') !~ $want->{json_location};
    }

    # marks: of nobody but those who may be shown here

    my %may = map { $_ => 1 } @{ $want->{shows} };
    my %seen = map { $_ => 1 } "$head$body" =~ /Q\.(\w+)\.Q/g;

    for (sort keys %seen) {
        push @faults, "mark of $_" if !$may{$_};
        push @faults, "FOREIGN mark of $_" if !$c->{p}{sees}{$_};
    }

    push @faults, "no mark of $want->{must}" if $want->{must}
        && $c->{method} eq 'GET' && !$seen{ $want->{must} };

    if ($want->{alike} && $status == $want->{status}[0]) {
        my $key = join ' ', @$c{qw(method path)}, $status,
            $c->{json} ? 'json' : 'html', $c->{address} ? 'c' : '-';
        my $masked = $self->_masked($c, $head, $body);
        my $sum = md5_hex($masked);
        my $first = $r->{alike}{ $c->{p}{key} }{$key} //= [ $sum, $name,
            $masked ];
        $r->{outcomes}++;

        if ($first->[0] ne $sum) {
            push @faults, "not the same as for $first->[1]:"
                . _difference($first->[2], $masked);
        }
    }

    push @{ $r->{faults}{ $c->{p}{key} } }, map { "$name: $_" } @faults;
    $r->{n}{ $c->{p}{key} }++;
    $r->{statuses}{$status}++;

    $r->{audit}{ ($c->{p}{id} // '') . " $_" }++
        for ref $want->{audit} ? @{ $want->{audit} } : $want->{audit} // ();
    return;
}


sub _difference {
    my ($x, $y) = @_;
    my @x = split /\n/, $x;
    my @y = split /\n/, $y;

    for my $i (0 .. $#x) {
        next if $x[$i] eq ($y[$i] // '');
        return "\n  - $x[$i]\n  + " . ($y[$i] // '');
    }

    return ' ' . (@y - @x) . ' lines more';
}


sub run {
    my ($self) = @_;
    my $started = time;
    my $cells = $self->{cells} // $self->cells;
    my $jobs = $self->{jobs};
    my %of;

    push @{ $of{ $_->{p}{key} } }, $_ for @$cells;

    # the long ones first, to whoever has least
    my @shares = map { { n => 0, keys => [] } } 1 .. $jobs;

    for my $key (sort { @{ $of{$b} } <=> @{ $of{$a} } || $a cmp $b }
        keys %of)
    {
        my ($least) = sort { $a->{n} <=> $b->{n} } @shares;
        $least->{n} += @{ $of{$key} }
            * ($self->{principals}{$key}{live} ? 3 : 1);
        push @{ $least->{keys} }, $key;
    }

    $self->{before} = $self->_rows;
    my @children;

    for my $i (0 .. $#shares) {
        my $pid = fork // die "fork: $!";

        if ($pid == 0) {
            my %r = (requests => 0, outcomes => 0, faults => {});

            for my $key (@{ $shares[$i]{keys} }) {
                eval {
                    $self->_drive($self->{principals}{$key}, $of{$key},
                        sub { $self->_check(@_, \%r) });
                    1;
                } or push @{ $r{faults}{$key} }, "died: $@";
            }

            delete $r{alike};
            store \%r, "$self->{t}{dir}/matrix.$i";
            POSIX::_exit(0);
        }

        push @children, $pid;
    }

    waitpid $_, 0 for @children;
    my $sum = $self->{sum} = {};

    for my $i (0 .. $#shares) {
        my $r = eval { retrieve("$self->{t}{dir}/matrix.$i") } or next;
        $sum->{$_} += $r->{$_} for qw(requests outcomes);
        push @{ $sum->{faults}{$_} }, @{ $r->{faults}{$_} }
            for keys %{ $r->{faults} };

        for my $what (qw(n statuses audit)) {
            $sum->{$what}{$_} += $r->{$what}{$_} for keys %{ $r->{$what} };
        }
    }

    $sum->{seconds} = time - $started;
    return $self;
}


# What was written.

sub _rows {
    my ($self) = @_;
    my $db = $self->{t}->db;
    my %rows;

    for my $table (qw(person staff client membership portfolio credential
        category page))
    {
        $rows{$table} = $db->value('select md5(string_agg(md5((x.*)::text), '
            . "'' order by md5((x.*)::text))) from "
            . ($table eq 'client' ? '(select id, number, slug, name,
                contact_id, quota_files, quota_bytes, closed_at
                from portal.client)' : "portal.$table") . ' x') // '';
    }

    $rows{documents} = { map { $_->{id} => "$_->{row}" }
        $db->rows('select id, (d.*)::text as row from portal.document d') };
    return \%rows;
}


sub report {
    my ($self) = @_;
    my $sum = $self->{sum};
    my $mode = $self->{mode} ? "$self->{mode}: " : '';

    for my $key (sort keys %{ $self->{principals} }) {
        my @faults = @{ $sum->{faults}{$key} // [] };
        my $n = $sum->{n}{$key} // 0;
        my $expected = grep { $_->{p}{key} eq $key } @{ $self->{cells} };

        push @faults, "$n answers to $expected requests" if $n != $expected;
        my $more = @faults - 12;
        splice @faults, 12;
        Test::More::is(join("\n", @faults, $more > 0 ? "and $more more" : ()),
            '', "$mode$key: $n answers");
    }

    $self->_report_rows($mode);
    $self->_report_audit($mode) if $self->{mode} ne 'client';

    my @statuses = map { "$_: $sum->{statuses}{$_}" }
        sort keys %{ $sum->{statuses} };
    Test::More::note(sprintf '%s%d requests, %d outcomes, %.1f s, %s', $mode,
        $sum->{requests}, $sum->{outcomes}, $sum->{seconds},
        join ', ', @statuses);
    return;
}


sub _report_rows {
    my ($self, $mode) = @_;
    my $db = $self->{t}->db;
    my ($before, $after) = ($self->{before}, $self->_rows);
    my @other = grep { $_ ne 'documents' && $before->{$_} ne $after->{$_} }
        sort keys %$before;

    Test::More::is("@other", '', "$mode" . 'who may what is as before');

    my %deleted = map { $_->{id} => 1 }
        grep { ($_->{effect} // '') =~ /^(?:object deleted|any)$/
            && $_->{object} =~ /^mine/ } @{ $self->{cells} };
    my (@changed, @stayed, %deposits, %expected);

    for my $id (sort keys %{ $before->{documents} }) {
        my $same = $before->{documents}{$id}
            eq ($after->{documents}{$id} // '');
        push @changed, $id if !$same && !$deleted{$id};
        push @stayed, $id if $same && $deleted{$id}
            && $self->{mode} ne 'client';
    }

    Test::More::is("@changed", '', "$mode" . 'no document is changed');
    Test::More::is("@stayed", '', "$mode" . 'but those that were taken back');

    for (grep { !$before->{documents}{$_} } keys %{ $after->{documents} }) {
        my $row = $db->row('select c.slug, d.author_id from portal.document d
            join portal.client c on c.id = d.client_id where d.id = ?', $_);
        $deposits{"$row->{slug} $row->{author_id}"}++;
    }

    for (@{ $self->{cells} }) {
        next if ($_->{effect} // '') !~ /^deposit (\w+)/;
        $expected{"$1 $_->{p}{id}"}++;
    }

    Test::More::is(_list(\%deposits), _list(\%expected),
        "$mode" . 'deposits: whose, and where') if $self->{mode} ne 'client';

    # a deposit may fail where the client is not what it seems; it is never
    # somebody else's
    my @foreign = grep { my ($slug, $who) = split; !grep {
        ($_->{id} // '') eq $who && $_->{sees}{$slug} }
        values %{ $self->{principals} } } keys %deposits;
    Test::More::is("@foreign", '', "$mode" . 'no deposit at a foreign client');

    # sessions: those that were ended, and no other

    my %ended;

    for (@{ $self->{cells} }) {
        my $effect = $_->{effect} // '';
        $ended{ $_->{session} } = 1 if $effect eq 'session ends';
        $ended{ $_->{id} } = 1 if $effect eq 'object ends';
    }

    my %lives = map { $_->{id} => $_->{person_id} }
        $db->rows('select id, person_id from portal.session');
    my @undead = grep { $lives{$_} } keys %ended;
    Test::More::is("@undead", '', "$mode" . 'sessions that were ended ended')
        if $self->{mode} ne 'client';

    my @dead = map { $_->{key} } grep { $_->{token} && $_->{id}
        && !$db->value('select count(*) from portal.session
            where token_hash = ?', \$self->{t}{keys}->hash($_->{token})) }
        values %{ $self->{principals} };
    Test::More::is("@dead", '', "$mode" . 'and nobody else\'s');
    return;
}


sub _list {
    my ($of) = @_;
    return join "\n", map { "$_: $of->{$_}" } sort keys %$of;
}


# S-39: each refusal has its row.  Those of the worker come a moment later,
# 20 of a session in a minute and none while somebody waits for a page: that
# one comes at all is session.t's.
sub _report_audit {
    my ($self, $mode) = @_;
    my $expected = $self->{sum}{audit} // {};
    my @faults;

    $self->{t}->wait_for(sub {
        my %rows = map { ($_->{person_id} // '') . " $_->{what}" => $_->{n} }
            $self->{t}->db->rows(q{select person_id,
                detail || ' ' || result as what, count(*) as n
                from portal.audit where action = 'refused' group by 1, 2});

        @faults = map { "$_: " . ($rows{$_} // 0) . ' rows of '
            . ($expected->{$_} // 0) }
            grep { my ($n, $most) = ($rows{$_} // 0, $expected->{$_} // 0);
                m{ [A-Z]+ /\S* 403$} ? $n > $most : $n != $most }
            sort keys %{ { %rows, %$expected } };
        return !@faults;
    }, 5);

    Test::More::is(join("\n", @faults), '',
        "$mode" . 'a row of the audit for each refusal of a session');
    return;
}


1;
