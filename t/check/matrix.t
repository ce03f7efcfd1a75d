#!/usr/bin/perl

# The authorisation matrix three times more, each time without one of the
# three barriers (S-42): the other two hold alone.  No foreign mark in any
# answer, nothing written for or at a foreign client.  And once with a site
# whose schema is full of our names (T74): as without it.
#
#   open     the worker checks nothing (a module built for tests)
#   client   portal.client(), which the pages' queries name, answers with the
#            client that is attacked, whoever asks
#   rls      row-level security is off on every table
#   names    tables and functions of the site are called as ours are

use FindBin;
use lib "$FindBin::Bin/../lib";
use Portal::Test;
use Portal::Matrix;

my $build = Portal::Test::top() . '/build';

for my $mode (@ARGV ? @ARGV : qw(open client rls names)) {
    subtest $mode => sub { attack($mode) };
}

done_testing;


sub attack {
    my ($mode) = @_;

    local $ENV{PORTAL_MODULE} = $ENV{PORTAL_TEST_MODULE}
        // "$build/test/ngx_http_portal_module.so" if $mode eq 'open';

    my $t = Portal::Test->new(seed => 0);
    $t->run($mode eq 'open' ? (portal => 'portal_test_open on;') : ());

    my $m = Portal::Matrix->new($t, mode => $mode eq 'names' ? '' : $mode);
    $m->plant;

    open_client($t, $m) if $mode eq 'client';
    open_rows($t) if $mode eq 'rls';
    same_names($t) if $mode eq 'names';

    $m->run->report;
    cmp_ok($m->{sum}{requests}, '>', 36_000, "$mode: requests");
    $t->done;
}


# All visitors attack the client xenon; it is theirs for a few.
sub open_client {
    my ($t, $m) = @_;

    $t->db->do(q{create or replace function portal.client() returns uuid
        language plpgsql stable set search_path = portal, pg_temp as $$
        begin return current_setting('portal_test.client')::uuid; end $$});
    $t->db->do("alter database portal set portal_test.client = "
        . "'$m->{ids}{xenon}'");
    $t->db->do(q{select pg_terminate_backend(pid) from pg_stat_activity
        where usename = 'portal_web'});
    is($t->db->web->value('select current_setting(?)', 'portal_test.client'),
        $m->{ids}{xenon}, 'portal.client() lies');
    return;
}


sub open_rows {
    my ($t) = @_;

    $t->db->do(q{do $$ declare c regclass; begin
        for c in select oid from pg_class where relrowsecurity loop
            execute format('alter table %s no force row level security', c);
            execute format('alter table %s disable row level security', c);
        end loop; end $$});
    is($t->db->value('select count(*) from pg_class where relrowsecurity'),
        0, 'no row-level security');
    return;
}


sub same_names {
    my ($t) = @_;
    my $db = $t->db;

    for ($db->rows(q{select relname as name from pg_class where relkind = 'r'
        and relnamespace = 'portal'::regnamespace}))
    {
        $db->do("create table portal_site.$_->{name} as table"
            . " portal.$_->{name}");
        $db->do("grant all on portal_site.$_->{name} to public");
    }

    for ($db->rows(q{select prosrc, pg_get_functiondef(oid) as definition
        from pg_proc where pronamespace = 'portal'::regnamespace}))
    {
        my ($body, $sql) = @$_{qw(prosrc definition)};
        $sql =~ s/\Q$body\E/begin raise 'of the site'; end/;
        $sql =~ s/FUNCTION portal\./FUNCTION portal_site./;
        $db->do($sql);
    }

    $db->do('grant usage on schema portal_site to public');
    cmp_ok($db->value(q{select count(*) from pg_proc
        where pronamespace = 'portal_site'::regnamespace}), '>', 40,
        'names of ours');
    return;
}
