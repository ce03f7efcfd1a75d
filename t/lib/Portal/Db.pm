package Portal::Db;

# PostgreSQL of a test, as the superuser and over its socket; helpers that
# make rows, and files in the store that fit them.
#
#   $db->do($sql, @bind)      $db->value($sql, @bind)
#   $db->row($sql, @bind)     { column => value }, or undef
#   $db->rows($sql, @bind)    a list of these
#   $db->web                  a connection of its own as portal_web
#   $db->calls                { "sign_in_start" => n, … }: what the workers
#                             called so far (option statements => 1)
#   $db->checksum             changes with any row that a request may change
#
#   $db->client(name => 'Delta', %columns)              -> id
#   $db->person(email => …, name => …, %columns,
#               clients => { delta => 'owner' }, password => 1) -> id
#   $db->staff(email => …, role => 'manager', portfolio => [ slugs ]) -> id
#   $db->document(client => $slug, content => …, %columns) -> { id, … }
#
# Several documents at once are cheap: $db->documents([ {…}, … ]).

use strict;
use warnings;

use DBI;
use Digest::SHA qw(sha256_hex);


sub new {
    my ($class, %o) = @_;
    my $self = bless { name => 'portal', %o }, $class;
    $self->{dbh} = $self->_connect('postgres');
    return $self;
}


sub _connect {
    my ($self, $user) = @_;

    return DBI->connect(
        "dbi:Pg:dbname=$self->{name};host=$self->{socket}"
            . ';application_name=test', $user, '',
        { RaiseError => 1, PrintError => 0, AutoCommit => 1,
            pg_enable_utf8 => 0 });
}


sub web {
    my ($self) = @_;
    return bless { %$self, dbh => $self->_connect('portal_web') }, ref $self;
}


sub dbh { return $_[0]{dbh} }


# A list of values is passed as an array, bytes as \"…".
sub _run {
    my ($self, $sql, @bind) = @_;
    my $st = $self->{dbh}->prepare($sql);
    my $i = 0;

    for (@bind) {
        $i++;

        if (ref $_ eq 'SCALAR') {
            $st->bind_param($i, $$_, { pg_type => DBD::Pg::PG_BYTEA() });

        } else {
            $st->bind_param($i, $_);
        }
    }

    $st->execute;
    return $st;
}


sub do {
    my ($self, $sql, @bind) = @_;
    return $self->{dbh}->do($sql) if !@bind;
    return $self->_run($sql, @bind)->rows;
}


sub value {
    my ($self, $sql, @bind) = @_;
    my $row = $self->_run($sql, @bind)->fetchrow_arrayref;
    return $row ? $row->[0] : undef;
}


sub row {
    my ($self, $sql, @bind) = @_;
    return $self->_run($sql, @bind)->fetchrow_hashref;
}


sub rows {
    my ($self, $sql, @bind) = @_;
    return @{ $self->_run($sql, @bind)->fetchall_arrayref({}) };
}


sub disconnect {
    my ($self) = @_;
    $self->{dbh}->disconnect if $self->{dbh};
    delete $self->{dbh};
    return;
}


sub _insert {
    my ($self, $table, $rows) = @_;
    return if !@$rows;

    my @columns = sort keys %{ $rows->[0] };
    my $group = '(' . join(', ', ('?') x @columns) . ')';

    $self->_run("insert into portal.$table (" . join(', ', @columns)
        . ') values ' . join(', ', ($group) x @$rows),
        map { my $row = $_; map { $row->{$_} } @columns } @$rows);
    return;
}


sub _id {
    my ($self, $table, $row) = @_;
    my @columns = sort keys %$row;

    return $self->value("insert into portal.$table ("
        . join(', ', @columns) . ') values ('
        . join(', ', ('?') x @columns) . ') returning id',
        map { $row->{$_} } @columns);
}


sub client_id {
    my ($self, $slug) = @_;
    return $slug if $slug =~ /^[0-9a-f]{8}-/;
    return $self->value('select id from portal.client where slug = ?', $slug)
        // die "no client $slug";
}


sub client {
    my ($self, %o) = @_;
    $o{slug} //= lc $o{name} =~ s/[^A-Za-z0-9]+/-/gr;
    $o{number} //= substr sha256_hex($o{slug}), 0, 8;
    return $self->_id('client', \%o);
}


sub person {
    my ($self, %o) = @_;
    my $clients = delete $o{clients} // {};
    my $password = delete $o{password};

    $o{kind} //= 'client';
    $o{name} //= $o{email} =~ s/\@.*//r;
    $o{email_key} //= lc $o{email};

    my $id = $self->_id('person', \%o);

    for (sort keys %$clients) {
        $self->_insert('membership', [ { person_id => $id,
            client_id => $self->client_id($_), preset => $clients->{$_} } ]);
    }

    $self->credential($id) if $password // 1;
    return $id;
}


# The password of all tests, hashed once; %o replaces columns.
sub credential {
    my ($self, $person, %o) = @_;
    my ($ops, $memory, $salt, $verifier) = @{ $self->{verifier} };

    $self->_insert('credential', [ { person_id => $person, ops => $ops,
        mem_kib => $memory, salt => \pack('H*', $salt),
        verifier => \pack('H*', $verifier), %o } ]);
    return;
}


sub staff {
    my ($self, %o) = @_;
    my $portfolio = delete $o{portfolio} // [];
    my $role = delete $o{role} // 'collaborator';
    my $id = $self->person(%o, kind => 'staff');

    $self->_insert('staff', [ { person_id => $id, role => $role } ]);
    $self->_insert('portfolio', [ { person_id => $id,
        client_id => $self->client_id($_) } ]) for @$portfolio;
    return $id;
}


sub document {
    my ($self, %o) = @_;
    return ($self->documents([ \%o ]))[0];
}


my %TYPES = (
    'application/pdf' => [ pdf => 1 ], 'image/png' => [ img => 1 ],
    'image/jpeg' => [ img => 1 ], 'text/csv' => [ csv => 0 ],
    'text/xml' => [ xml => 0 ], 'text/html' => [ any => 0 ],
    'image/svg+xml' => [ img => 0 ], 'application/zip' => [ zip => 0 ],
);


# Where the content is undef there is no file: a row without one.
sub documents {
    my ($self, $list) = @_;
    my (@rows, %clients);

    for my $o (@$list) {
        my %row = (title => 'Document', name => 'document.txt',
            category => 'depots', mime => 'text/plain', %$o);
        my $content = exists $o->{content} ? delete $row{content}
            : "$row{title}\n";
        my $slug = delete $row{client};

        $clients{$slug} //= $self->client_id($slug);
        $row{client_id} = $clients{$slug};
        $row{id} //= $self->value('select gen_random_uuid()');
        $row{hash} //= sha256_hex($content);
        $row{size} //= length $content;

        my $type = $TYPES{ $row{mime} } // [ any => 0 ];
        $row{kind} //= $type->[0];
        $row{inline} //= $type->[1] ? 't' : 'f';
        $row{date} //= '2026-03-15';
        $row{published_at} //= '2026-03-15 09:00:00+00';

        $self->{store}->($row{hash}, $content) if defined $content;
        push @rows, \%row;
    }

    my %groups;
    push @{ $groups{ join ',', sort keys %$_ } }, $_ for @rows;

    for (values %groups) {
        $self->_insert('document', [ map {
            { %$_, hash => \pack('H*', $_->{hash}) } } @$_ ]);
    }

    return @rows;
}


sub calls {
    my ($self) = @_;
    my %calls;

    for ($self->rows(q{
        select substring(query from 'portal\.([a-z_]+)\(') as name,
               sum(calls) as n
        from pg_stat_statements s join pg_roles r on r.oid = s.userid
        where r.rolname = 'portal_web' and query ~ 'portal\.[a-z_]+\('
          and dbid = (select oid from pg_database
                      where datname = current_database())
        group by 1 }))
    {
        $calls{ $_->{name} } = $_->{n};
    }

    return \%calls;
}


my @CHANGED = qw(person staff client membership portfolio credential session
    device attempt limiter document document_count opening search);


sub checksum {
    my ($self) = @_;

    return join ' ', map {
        my $row = $_ eq 'session'
            ? "(x.id, x.person_id, x.idle, x.absolute_end)" : 'x';
        $self->value("select coalesce(md5(string_agg(md5(($row)::text), ''
            order by md5(($row)::text))), '-') from portal.$_ x")
    } @CHANGED;
}


1;
