#!/usr/bin/perl

# Room for deposits when many deposit, take back and publish at once: never
# more than there is, never less than nothing, and the counts that are kept
# equal those that are real (S-48, S-59's like).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use POSIX ();
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new(settings => { max_connections => 100 });
$t->run;

my $db = $t->db;
my $json = JSON::PP->new->canonical;

sub books {
    my ($slug) = @_;
    return $db->row(q{select c.used_files, c.used_bytes, c.quota_files,
        c.quota_bytes, count(d.id) filter (where d.deposited)
            as files,
        coalesce(sum(d.size) filter (where d.deposited), 0) as bytes
        from portal.client c left join portal.document d on d.client_id = c.id
        where c.slug = ? group by c.id}, $slug);
}

sub sound {
    my ($slug, $name) = @_;
    my $b = books($slug);

    is("$b->{used_files} $b->{used_bytes}", "$b->{files} $b->{bytes}",
        "$name: the books are true");
    ok($b->{files} <= $b->{quota_files} && $b->{bytes} <= $b->{quota_bytes},
        "$name: within its room ($b->{files} files, $b->{bytes} bytes)");
    is($db->value(q{
        select count(*) from (
            (select client_id, year, category, n from portal.document_count
                where n <> 0
             except
             select client_id, extract(year from date), category, count(*)
                from portal.document where live group by 1, 2, 3)
            union all
            (select client_id, extract(year from date), category, count(*)
                from portal.document where live group by 1, 2, 3
             except
             select client_id, year, category, n from portal.document_count))
        x }), 0, "$name: the counts are those of what is there");
    is($db->value(q{select count(*) from portal.document_count where n < 0}),
        0, "$name: none is negative");
    is($db->value(q{
        select count(*) from (
            (select document_id from portal.search
             except select id from portal.document where live)
            union all
            (select id from portal.document where live
             except select document_id from portal.search)) x }), 0,
        "$name: the search has what is there");
    return $b;
}

# Each in a process of its own, all at the same moment; what they return.
sub at_once {
    my ($n, $code) = @_;
    my $start = time + 0.3;
    my @children;

    for my $i (0 .. $n - 1) {
        my $pid = open(my $out, '-|') // die "fork: $!";

        if ($pid == 0) {
            $t->{dbs} = {};
            srand $i;
            sleep $start - time if $start > time;
            my @said = eval { $code->($i) };
            print $@ ? "died: $@" : map { "$_\n" } @said;
            close STDOUT;
            POSIX::_exit(0);
        }

        push @children, $out;
    }

    my @said;

    for my $out (@children) {
        push @said, map { chomp; $_ } <$out>;
        close $out;
    }

    return @said;
}

sub count { my %n; $n{$_}++ for @_; return \%n }

# deposits over HTTP: twenty files want to where ten fit

$db->do(q{update portal.client set quota_files = 10, quota_bytes = 1000000,
    used_files = 0, used_bytes = 0 where slug = 'alpha'});
$db->do(q{delete from portal.search where client_id = ?}, $t->id('alpha'));
$db->do(q{update portal.document set deposited = false});
$db->do(q{update portal.document set title = title});

# each of a session of its own: one session has four at a time
my @tokens = map { $t->session_for('owner') } 1 .. 20;
my @said = at_once(20, sub {
    my ($i) = @_;
    my $c = $t->client(timeout => 20);
    $c->set_cookie('', $tokens[$i]);
    return $c->post_multipart('documents', [ [ files => "deposit $i\n",
        "d$i.txt", 'text/plain' ] ])->status;
});

my $n = count(@said);
my $b = sound('alpha', 'by number');
is($b->{files}, 10, 'as many as fit');
is($n->{303}, 10, '… are told so');
is(($n->{422} // 0) + ($n->{507} // 0), 10, '… the others are refused');

# … by their size: 100 bytes each, room for seven and a half

$db->do(q{update portal.client set quota_files = 1000, quota_bytes =
    used_bytes + 750 where slug = 'alpha'});
my $had = books('alpha')->{files};

@said = at_once(20, sub {
    my ($i) = @_;
    my $c = $t->client(timeout => 20);
    $c->set_cookie('', $tokens[$i]);
    return $c->upload('documents', sprintf('%099d', $i) . "\n",
        name => "s$i.txt", accept => 'json')->status;
});

$n = count(@said);
$b = sound('alpha', 'by size');
is($b->{files} - $had, 7, 'as much as fits');
is($n->{200}, 7, '… is told so');

# the same one taken back by ten at once

my @mine = $db->rows(q{select id, size from portal.document where deposited
    and client_id = ? and live order by id}, $t->id('alpha'));
$had = books('alpha')->{files};

@said = at_once(10, sub {
    my $c = $t->client(timeout => 20);
    $c->set_cookie('', $tokens[0]);
    return $c->post("documents/$mine[0]{id}/delete", {})->status;
});

$n = count(@said);
is($n->{303}, 1, 'one takes it back');
is($n->{404}, 9, '… for the others it is gone');
$b = sound('alpha', 'taken back');
is($had - $b->{files}, 0, '… its room is taken until its file is gone');

# everything at once, for four seconds, as the workers would call it and as
# the administrator may change it

$db->do(q{update portal.client set quota_files = 60, quota_bytes = 200000
    where slug in ('alpha', 'bravo')});
my $both = $t->session_for('both');

@said = at_once(10, sub {
    my ($i) = @_;
    my $db = $t->db;
    my $web = $db->web;
    my $until = time + 4;
    my @did;

    while (time < $until) {
        my $slug = rand() < 0.5 ? 'alpha' : 'bravo';
        my $client = $t->id($slug);
        my $what = rand();

        if ($what < 0.5) {
            my $k = 1 + int rand 3;
            my $row = eval { $web->row('select status from portal.call(?,
                ?, ?, ?, ?, ?)', \$t->{keys}->hash($both), 'document_deposit',
                'POST', $slug, $json->encode({ form => { client => $slug },
                    files => [ map { { name => "$i.txt", sha256 => '00' x 32,
                        size => 1 + int rand 5000, type => 'text/plain',
                        kind => 'any', inline => JSON::PP::false } }
                        1 .. $k ] }), 'n') };
            push @did, 'deposit ' . ($row ? $row->{status}
                : $web->{dbh}->state);

        } elsif ($what < 0.8) {
            my $id = $db->value(q{select id from portal.document where
                client_id = ? and deposited and author_id = ?
                and deleted_at is null order by random() limit 1}, $client,
                $t->id('both')) // next;
            my $row = eval { $web->row('select status from portal.call(?,
                ?, ?, ?, ?, ?)', \$t->{keys}->hash($both), 'document_delete',
                'POST', $slug, $json->encode({ path => { id => $id } }),
                'n') };
            push @did, 'delete ' . ($row ? $row->{status}
                : $web->{dbh}->state);

        } else {
            # of the company's own: withdrawn, back again, in another year
            my $set = (q{withdrawn_at = now()}, q{withdrawn_at = null},
                q{date = date + 200}, q{date = date - 200},
                q{category = 'depots', title = title})[rand 5];
            eval { $db->do("update portal.document set $set where id = (select
                id from portal.document where client_id = ? and not deposited
                order by random() limit 1)", $client) };
            push @did, 'change ' . ($@ ? $db->{dbh}->state : 'ok');
        }
    }

    return @did;
});

$n = count(@said);
note join ', ', map { "$_: $n->{$_}" } sort keys %$n;
sound($_, "all at once, $_") for qw(alpha bravo);
cmp_ok($n->{'deposit 303'} // 0, '>', 20, 'deposits were made');
cmp_ok($n->{'deposit 422'} // 0, '>', 0, '… and refused');
cmp_ok($n->{'delete 303'} // 0, '>', 20, '… taken back');
my @known = ('deposit 303', 'deposit 422', 'delete 303', 'delete 404',
    'change ok');
delete @$n{@known};
is(join(', ', sort keys %$n), '', 'nothing else came of it: none waited for '
    . 'another that waited for it');
is($db->value(q{select count(*) from portal.audit a where action =
    'document.deposited' and person_id = ?}, $t->id('both')),
    $db->value(q{select count(*) from portal.document where author_id = ?},
        $t->id('both')), 'each deposit has its row in the audit');

$t->done;
