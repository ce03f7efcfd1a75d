#!/usr/bin/perl

# An answer of PostgreSQL that belongs to another request (S-43): whatever the
# reason, each call repeats a number of its own, and a row without it, or a
# row too many, is nobody's: 500, nothing of it leaves, nothing of it is
# remembered, and its connection is given up.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
$t->run(workers => 1, database => 'pool=1');
$t->allow(qr/answer of PostgreSQL does not belong to this request/);

my $db = $t->db;
my ($document) = $t->documents('alpha');
my ($foreign) = $t->documents('bravo');
my $file = "documents/$document->{id}/file";

# the entry points that answer with a number
my @entries = map { $_->{name} } $db->rows(q{select p.proname as name
    from pg_proc p where p.pronamespace = 'portal'::regnamespace
    and has_function_privilege('portal_web', p.oid, 'EXECUTE')
    and 'nonce' = any (p.proargnames) order by 1});

is("@entries", 'call file_grant session sign_in_finish sign_in_start '
    . 'upload_check', 'entry points that say whom they answer');

# An entry point whose rows are those of another call.
sub wrong {
    my ($name, $query) = @_;
    my $row = $db->row(q{select pg_get_function_arguments(oid) as arguments,
        pg_get_function_result(oid) as result,
        (select string_agg('$' || n, ', ' order by n)
            from generate_series(1, pronargs) n) as given
        from pg_proc where proname = ? and pronamespace =
        'portal'::regnamespace}, $name);

    $query =~ s/TRUE/portal.${name}_true($row->{given})/g;
    $db->do("alter function portal.$name rename to ${name}_true");
    $db->do("create function portal.$name($row->{arguments})
        returns $row->{result} language plpgsql security definer
        set search_path = portal, pg_temp as \$\$
        #variable_conflict use_column
        begin return query $query; end \$\$");
    $db->do("alter function portal.$name owner to portal_gate");
    $db->do("grant execute on function portal.$name to portal_web");
    return;
}

sub right {
    my ($name) = @_;
    $db->do("drop function portal.$name");
    $db->do("alter function portal.${name}_true rename to $name");
    return;
}

sub columns {
    my ($name) = @_;
    return join ', ', grep { $_ ne 'nonce' } map { $_->{name} } $db->rows(
        q{select unnest(proargnames[array_length(proargtypes::oid[], 1) + 1:])
        as name from pg_proc where proname = ? and pronamespace =
        'portal'::regnamespace}, $name);
}

sub backend {
    return $db->value(q{select max(pid) from pg_stat_activity
        where usename = 'portal_web' and query ~ '^(select nonce|DISCARD)'});
}

# a backend takes a moment to see that its client has gone
sub gone {
    my ($pid) = @_;
    return $t->wait_for(sub {
        !$db->value('select count(*) from pg_stat_activity where pid = ?', $pid)
    }, 5);
}

my %ask = (
    call => sub { $_[0]->get('documents') },
    file_grant => sub { $_[0]->get($file) },
    session => sub { $_[0]->get('documents') },
    upload_check => sub { $_[0]->upload('documents', "x\n") },
    sign_in_start => sub { $t->client->sign_in('owner') },
    sign_in_finish => sub { $t->client->sign_in('owner') },
);

my @kept;

for my $name (@entries) {
    my $columns = columns($name);
    my $ask = $ask{$name};

    for my $case (
        [ 'of another' => "select md5(nonce), $columns from TRUE" ],
        [ 'of nobody' => "select null::text, $columns from TRUE" ],
        [ 'with more behind it' => "select nonce || 'x', $columns from TRUE" ],
        [ 'twice' => 'select * from TRUE union all select * from TRUE' ],
        $name eq 'session' ? ()
            : [ 'none' => 'select * from TRUE where false' ])
    {
        my ($what, $query) = @$case;
        my $c = $t->client(as => 'owner');

        # twice would be a second attempt, a second deposit
        next if $what eq 'twice' && $name =~ /^sign_in/;

        $c->get('sign-in') if $name ne 'session';
        $t->client->get('documents');
        my $before = backend();
        wrong($name, $query);
        my $r = $ask->($c);
        my $gone = gone($before);
        right($name);

        is($r->status, 500, "$name, a row $what: 500");
        unlike($r->head . $r->body, qr/MARK|Titre|Alice/,
            '… and nothing of it');
        ok(!$r->set_cookie($c->cookie_name('')), '… no session either');
        push @kept, "$name $what" unless $gone;

        $r = $ask->($c);
        like($r->status, qr/^(?:200|303)$/, '… the next one is answered: '
            . $r->status);
    }
}

is(join(', ', @kept), '', 'each time the connection is given up');

my @told = $t->logged(qr/does not belong to this request/);
cmp_ok(scalar @told, '>=', 4 * @entries, 'each is an alert');

$t->done;
