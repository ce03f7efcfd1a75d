package Portal::Test;

# The tests' own nginx, PostgreSQL and store, in a temporary folder.
#
#     use FindBin;
#     use lib "$FindBin::Bin/lib";
#     use Portal::Test;                       # brings Test::More, strict
#
#     my $t = Portal::Test->new;              # PostgreSQL and the seed
#     $t->run;                                # nginx
#
#     my $c = $t->client(as => 'owner');      # signed in, without a sign-in
#     is($c->get('documents')->status, 200, 'list');
#     is($c->post('preferences', { locale => 'en' })->status, 303, 'english');
#
#     $t->done;                               # ends all, and the free tests
#
# done() stops nginx by QUIT and waits for it, and then asserts what every
# test asserts: it ended by itself; no alert, no worker killed by a signal,
# no report of a sanitizer; PostgreSQL saw no connection left in a
# transaction nor more of them than the pool has, no advisory lock, no
# temporary table; no password and no session's token in any log, and no
# cookie of ours in $http_cookie; every answer of ours that a client saw had
# its headers, and its cookies their attributes (Portal::Rules).
# $t->allow(qr/…/) excuses alerts that the test provokes.  After a failure
# the ends of the logs are shown.
#
# Environment: PORTAL_NGINX, PORTAL_MODULE (another build; ASAN_OPTIONS and
# the like are passed through), PORTAL_TEST_KEEP (the folder stays),
# PORTAL_TEST_LOG=debug (level of error.log).
#
# Seed (new(seed => 0): none).  All persons have the password
# $t->{password}; keys of persons are what client(as => …) takes:
#
#     client alpha  5 documents      owner    alice@alpha.example
#                                    reader   rene@alpha.example
#                                    disabled denis@alpha.example
#     client bravo  30 documents     bob      bob@bravo.example, owner
#     client charlie  none           empty    eve@charlie.example, owner
#     both   carol@both.example, owner of alpha and of bravo
#     admin, manager, collaborator   …@staff.example; the collaborator has
#                                    alpha in his portfolio and no other
#
# $t->id('owner'), $t->email('owner'), $t->id('alpha'); $t->documents('alpha')
# the list of { id, title, name, hash, mime, content }; titles and contents
# hold MARKalpha0, MARKalpha1, …: a mark of bravo seen by alpha is a leak.
# alpha's are: 0 a PDF, 1 a text, 2 an XML, 3 a CSV, 4 a PNG.
#
# new(%o):
#     db => 0           without PostgreSQL (for nginx -t)
#     statements => 1   pg_stat_statements, see $t->db->calls
#     settings => { name => value }   of PostgreSQL
#     databases => [ 'second' ]       copies of the seeded one; db('second')
#
# run(%o), conf(%o), check(%o): text of nginx.conf from options.  Those of
# the only location may stand at the top; several: see "servers".
#     mount => '/espace-client/'   secure => 0   base => 'https://…/'
#     name => 'main'    database => 'pool=4 query_timeout=1800ms'
#     conninfo => …     zone => '4m' (and shares)    key => file
#     session => 'idle=60s'        password => 'memory=19m ops=2'
#     set => { phone => '…' }      pages => 'portal_page …;' (more, or ours
#     replaced)         include => 0: the standard pages are left out
#     templates => [ folders before ours ]    locales => 'fr en'
#     storage => folder
#     modifier => '^~'  portal => 'directives inside the location'
#     tls => 0          http2 => 0          port => n
#     site => 'locations beside it'         server => 'directives'
#     http => '…'       main => '…'         workers => 2
#     servers => [ { port =>, tls =>, http2 =>, site =>, server =>,
#                    portals => [ { mount =>, name =>, db =>, … }, … ] } ]
#
# client(%o): as => person, or nobody; from => '127.0.0.5' another network
# (failures are counted by network); port =>, mount =>, origin =>, portal =>
# where there are several; timeout => s.  See Portal::Client.
#
# h2(%o): the same over HTTP/2, frame by frame.  See Portal::H2.
#
# Others:
#     db            Portal::Db          session_for($person, %columns) a token
#     port          of nginx, the first;  free_port  another
#     reload        and waits until the old workers are gone; busy => 1: only
#                   until there are new ones          workers  their pids
#     check(%o)     nginx -t: (ok, output)
#     error_log     text, or logged(qr/…/) lines; wait_log(qr/…/, seconds)
#     access_log    lines: "status method uri bytes user-agent cookies"
#     wait_for(sub { … }, seconds)        slack(seconds) more, on a busy
#                   machine
#     temp_files    of the store's tmp/ and of nginx's;  stored($hash) path
#     backend(sub { my ($head, $body, $socket) = @_; … answer })  a server of
#                   its own in a child; returns its port
#     echo          such a backend that answers with what it was sent
#     curl(@args)   output of curl, or undef where there is none
#     dir           the folder           write($name, $text)  a file in it

use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOCK_DGRAM);
use Test::More ();
use Time::HiRes qw(time sleep);

use Portal::Client;
use Portal::Conf;
use Portal::Db;
use Portal::H2;
use Portal::Seed;
use Portal::Token;

my $TOP = Cwd::abs_path(dirname(__FILE__) . '/../../..');
my @RUNNING;


sub import {
    strict->import;
    warnings->import;
    Test::More->export_to_level(1);
    return;
}


sub top { return $TOP }


sub new {
    my ($class, %o) = @_;
    my $self = bless { o => \%o, pid => $$, allow => [], daemons => [],
        dbs => {}, secrets => [], locks => [] }, $class;

    $self->{dir} = File::Temp::tempdir('portal-t-XXXXXXXX', DIR => '/tmp');
    chmod 0755, $self->{dir};
    push @RUNNING, $self;
    $SIG{$_} = sub { die "interrupted\n" } for qw(INT TERM HUP PIPE);

    $self->_watch;
    $self->_prepare;
    $self->_start_db if $o{db} // 1;
    return $self;
}


sub dir { return $_[0]{dir} }


# A child that ends what is left when this process is killed: it waits for
# the end of a pipe that nobody else holds.
sub _watch {
    my ($self) = @_;
    my $dir = $self->{dir};

    pipe my $end, $self->{alive} or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    return if $pid;

    close $self->{alive};
    open STDOUT, '>', '/dev/null';
    open STDERR, '>&', \*STDOUT;
    $SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE);
    1 while sysread $end, my $byte, 1;

    if (-d $dir && !$ENV{PORTAL_TEST_KEEP}) {
        my $master = $self->master;
        kill TERM => $master
            if $master && (readlink "/proc/$master/cwd" // '') eq $dir;
        system "'$TOP/tools/cluster' stop '$dir/db' immediate"
            if -d "$dir/db";
        remove_tree($dir, { safe => 0 });
    }

    POSIX::_exit(0);
}


sub web_ids {
    return $> == 0 ? (getpwnam 'www-data')[ 2, 3 ] : ($>, $) + 0);
}


sub write {
    my ($self, $name, $text) = @_;
    my $path = $name =~ m{^/} ? $name : "$self->{dir}/$name";

    make_path(dirname($path));
    open my $fh, '>:raw', $path or die "$path: $!";
    print $fh $text;
    close $fh or die "$path: $!";
    return $path;
}


sub read {
    my ($self, $name) = @_;
    my $path = $name =~ m{^/} ? $name : "$self->{dir}/$name";

    open my $fh, '<:raw', $path or return '';
    local $/;
    return scalar(<$fh>) // '';
}


sub _prepare {
    my ($self) = @_;
    my $dir = $self->{dir};

    for (qw(files files/tmp)) {
        mkdir "$dir/$_" or die "$dir/$_: $!";
        chown web_ids(), "$dir/$_";
        chmod 0700, "$dir/$_";
    }

    mkdir "$dir/$_" or die "$dir/$_: $!" for qw(tmp san html);
    chmod 0777, "$dir/san";

    system('cp', '-r', map({ "$TOP/conf/$_" }
        qw(templates locales assets pages)), "$dir/") == 0
        or die 'conf/ could not be copied';
    system('chmod', '-R', 'a+rX', "$dir/templates", "$dir/locales",
        "$dir/assets", "$dir/pages");

    my $key = unpack 'H*', Portal::Token::random(32);
    $self->write('portal.key', "$key\n");
    chmod 0600, "$dir/portal.key";
    $self->{keys} = Portal::Token->new($key);
    $self->{key_text} = $key;
    $self->{port} = $self->free_port;
    return;
}


# Ports are below the range from which the system takes its own; a UDP
# socket of the same number keeps a port for this test.
sub free_port {
    my ($self) = @_;

    for (1 .. 1000) {
        my $port = 10000 + int rand 20000;
        my $lock = IO::Socket::INET->new(Proto => 'udp', Type => SOCK_DGRAM,
            LocalAddr => '127.0.0.1', LocalPort => $port) or next;
        my $free = IO::Socket::INET->new(Proto => 'tcp', Listen => 1,
            LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
            or next;
        close $free;
        push @{ $self->{locks} }, $lock;
        return $port;
    }

    die 'no free port';
}


sub port { return $_[0]{port} }


sub _start_db {
    my ($self) = @_;
    my $o = $self->{o};
    my %settings = (fsync => 'off', full_page_writes => 'off',
        log_min_messages => 'warning', %{ $o->{settings} // {} });

    if ($o->{statements}) {
        $settings{shared_preload_libraries} = 'pg_stat_statements';
    }

    my $output = qx{'$TOP/tools/cluster' start '$self->{dir}/db' @{[
        map { "'$_=$settings{$_}'" } sort keys %settings ]} 2>&1};
    die "PostgreSQL does not start: $output" if $? != 0;

    $self->{socket} = (split /\n/, $output)[-1];
    $self->{has_db} = 1;
    $self->{password} = Portal::Seed::PASSWORD();
    push @{ $self->{secrets} }, $self->{password};

    my $db = $self->db;
    $db->do('create extension pg_stat_statements') if $o->{statements};
    Portal::Seed::plant($self, $db) if $o->{seed} // 1;

    if (my @copies = @{ $o->{databases} // [] }) {
        delete($self->{dbs}{portal})->disconnect;
        my $postgres = Portal::Db->new(name => 'postgres',
            socket => $self->{socket});
        $postgres->do("create database $_ template portal") for @copies;
        $postgres->disconnect;
    }

    return;
}


sub db {
    my ($self, $name) = @_;
    $name //= 'portal';
    $self->{verifier} //= Portal::Seed::verifier($self);

    return $self->{dbs}{$name} //= Portal::Db->new(name => $name,
        socket => $self->{socket}, verifier => $self->{verifier},
        store => sub { $self->store(@_) });
}


sub stored {
    my ($self, $hash) = @_;
    return "$self->{dir}/files/" . substr($hash, 0, 2) . '/'
        . substr $hash, 2;
}


sub store {
    my ($self, $hash, $content) = @_;
    my $path = $self->stored($hash);
    my $folder = dirname($path);

    if (!-d $folder) {
        mkdir $folder or die "$folder: $!";
        chown web_ids(), $folder;
    }

    $self->write($path, $content);
    chown web_ids(), $path;
    chmod 0600, $path;
    return $path;
}


sub id {
    my ($self, $key) = @_;
    return $self->{ids}{$key} // die "nobody is called $key";
}


sub email {
    my ($self, $key) = @_;
    return $self->{emails}{$key} // die "nobody is called $key";
}


sub documents {
    my ($self, $client) = @_;
    return @{ $self->{documents}{$client} // [] };
}


# A session without a sign-in; returns its token.
sub session_for {
    my ($self, $person, %o) = @_;
    my $id = $person =~ /^[0-9a-f]{8}-/ ? $person : $self->id($person);
    my $token = $self->{keys}->token;
    my $db = $self->db(delete $o{db});
    my %row = (person_id => $id, token_hash => \$self->{keys}->hash($token),
        idle => 1800, ip => '127.0.0.1', agent => 'portal-test', %o);

    $row{absolute_end} //= $db->value("select now() + interval '12 hours'");
    $db->_insert('session', [ \%row ]);
    push @{ $self->{secrets} }, $token;
    return $token;
}


sub conf {
    my ($self, %o) = @_;
    return Portal::Conf::text($self, %o);
}


sub run {
    my ($self, %o) = @_;
    $self->write_conf(%o);
    $self->start;
    return $self;
}


sub write_conf {
    my ($self, %o) = @_;
    $self->write('nginx.conf', $self->conf(%o));
    return $self;
}


sub nginx  { return $ENV{PORTAL_NGINX} // '/usr/sbin/nginx' }


# A copy, so that a build in the meantime changes nothing.
sub module {
    my ($self) = @_;
    my $path = $ENV{PORTAL_MODULE}
        // "$TOP/build/ngx_http_portal_module.so";
    my $n = keys %{ $self->{modules} };

    return $self->{modules}{$path} //= do {
        my $copy = "$self->{dir}/module$n.so";
        copy($path, $copy) or die "$path: $!";
        $copy;
    };
}


sub _exec {
    my ($self, $name, @args) = @_;
    my $dir = $self->{dir};

    for (qw(ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS)) {
        $ENV{$_} = ($ENV{$_} ? "$ENV{$_}:" : '') . "log_path=$dir/san/san";
    }

    chdir $dir;
    exec $self->nginx, '-p', "$dir/", '-c', "$dir/$name", @args
        or POSIX::_exit(127);
}


sub start {
    my ($self) = @_;
    my $dir = $self->{dir};
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$dir/stderr";
        open STDERR, '>&', \*STDOUT;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        $self->_exec('nginx.conf', '-e', "$dir/error.log", '-g',
            'daemon off;');
    }

    $self->{master} = $pid;

    my $up = $self->wait_for(sub {
        die "nginx does not start: " . $self->read('stderr')
            . $self->error_log if waitpid($pid, POSIX::WNOHANG()) == $pid;
        return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $self->{port});
    }, 20);

    die 'nginx does not listen' if !$up;
    return $self;
}


# nginx -t of a configuration: ok, and what it said.
sub check {
    my ($self, %o) = @_;
    my $text = $o{text}
        // $self->conf(error_log => "$self->{dir}/check.log", %o);
    $self->write('check.conf', $text);

    my $pid = open(my $out, '-|') // die "fork: $!";

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        $self->_exec('check.conf', '-e', "$self->{dir}/check.log", '-t');
    }

    local $/;
    my $output = <$out>;
    close $out;
    return ($? == 0, $output);
}


sub master {
    my ($self) = @_;
    my ($pid) = $self->read('nginx.pid') =~ /^(\d+)/ or return undef;
    return $pid;
}


sub workers {
    my ($self) = @_;
    my $master = $self->master or return;
    my @pids = split ' ',
        $self->read("/proc/$master/task/$master/children");
    return @pids;
}


sub reload {
    my ($self, %o) = @_;
    my %old = map { $_ => 1 } $self->workers;

    kill HUP => $self->master;
    return $self->wait_for(sub {
        my @all = $self->workers;
        my @new = grep { !$old{$_} } @all;
        return @new >= keys %old && (@new == @all || $o{busy});
    }, 10);
}


sub wait_for {
    my ($self, $code, $seconds) = @_;
    my $until = time + ($seconds // 5);

    while (1) {
        my $result = $code->();
        return $result if $result;
        return $result if time > $until;
        sleep 0.02;
    }
}


# Seconds that something may take: more where the machine is busy, or the
# build slow.
sub slack {
    my ($self, $seconds) = @_;
    my ($load) = $self->read('/proc/loadavg') =~ /^(\S+)/;

    return $seconds * (1 + $load / 4) * ($ENV{PORTAL_ASAN} ? 4 : 1);
}


sub error_log { return $_[0]->read('error.log') }


sub logged {
    my ($self, $pattern) = @_;
    return grep { $_ =~ $pattern } split /^/, $self->error_log;
}


sub wait_log {
    my ($self, $pattern, $seconds) = @_;
    return $self->wait_for(sub { scalar $self->logged($pattern) }, $seconds);
}


sub access_log {
    my ($self) = @_;
    return split /\n/, $self->read('access.log');
}


sub temp_files {
    my ($self) = @_;
    my @files = qx{find '$self->{dir}/files/tmp' '$self->{dir}/tmp' -type f};
    chomp @files;
    return @files;
}


sub client {
    my ($self, %o) = @_;
    my $as = delete $o{as};
    my $db = delete $o{db};
    my $portal = $self->{portals}[0] // {};

    my $c = Portal::Client->new(
        test => $self,
        port => $portal->{port} // $self->{port},
        tls => $portal->{tls},
        mount => $portal->{mount},
        portal => $portal->{name},
        secure => $portal->{secure},
        origin => $portal->{origin},
        host => $portal->{host},
        %o);

    $c->set_cookie('', $self->session_for($as, $db ? (db => $db) : ()))
        if $as;
    return $c;
}


sub h2 {
    my ($self, %o) = @_;
    return Portal::H2->new(client => $self->client(%o));
}


sub daemon {
    my ($self, $code) = @_;
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        close $self->{alive};
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        $SIG{CHLD} = 'IGNORE';
        eval { $code->() };
        POSIX::_exit(0);
    }

    push @{ $self->{daemons} }, $pid;
    return $pid;
}


# A small HTTP server; one request a connection, in a child each.
sub backend {
    my ($self, $code) = @_;
    my $port = $self->free_port;
    my $server = IO::Socket::INET->new(Proto => 'tcp', Listen => 64,
        LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
        or die "backend: $@";

    $self->daemon(sub {
        while (my $s = $server->accept) {
            next if fork;
            my $head = '';
            1 while $head !~ /\r\n\r\n/
                && sysread $s, $head, 1, length $head;
            my ($length) = $head =~ /^Content-Length: (\d+)/mi;
            my $body = '';
            1 while length $body < ($length // 0)
                && sysread $s, $body, $length - length $body, length $body;
            syswrite $s, $code->($head, $body, $s);
            close $s;
            POSIX::_exit(0);
        }
    });

    return $port;
}


sub echo {
    my ($self) = @_;

    return $self->backend(sub {
        my ($head, $body) = @_;
        my $text = "ECHO\n$head$body";
        return "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
            . 'Content-Length: ' . length($text) . "\r\n\r\n$text";
    });
}


sub curl {
    my ($self, @args) = @_;
    return undef if !-x '/usr/bin/curl';

    open my $out, '-|', 'curl', '-sk', '--max-time', '20', @args
        or die "curl: $!";
    local $/;
    my $text = <$out>;
    close $out;
    return $text // '';
}


sub allow {
    my ($self, @patterns) = @_;
    push @{ $self->{allow} }, @patterns;
    return;
}


sub _gone {
    my ($self, $pid, $seconds) = @_;

    return $self->wait_for(sub {
        waitpid $pid, POSIX::WNOHANG();
        return !kill 0, $pid;
    }, $seconds);
}


# QUIT, and all of it is gone; false: it had to be killed.
sub stop {
    my ($self) = @_;
    my $pid = $self->master // $self->{master} or return 1;
    my @workers = $self->workers;
    my $graceful = 1;

    kill QUIT => $pid;

    if (!$self->_gone($pid, 20)) {
        $graceful = 0;
        kill KILL => $pid, @workers;
        $self->_gone($pid, 5);
    }

    waitpid $self->{master}, 0 if $self->{master};
    delete $self->{master};
    unlink "$self->{dir}/nginx.pid";
    return $graceful;
}


# What nginx has left behind in PostgreSQL, as long as it runs.
sub _db_faults {
    my ($self) = @_;
    return if !$self->{has_db} || !$self->{pools};

    my $db = eval { $self->db } or return "no connection: $@";
    my @faults;
    my $idle = q{select count(*) from pg_stat_activity
        where usename = 'portal_web' and application_name <> 'test'
          and state like 'idle in%'};

    $self->wait_for(sub { $db->value($idle) == 0 }, 1);
    push @faults, 'a connection is idle in its transaction'
        if $db->value($idle);

    for (sort keys %{ $self->{pools} }) {
        my $n = $db->value(q{select count(*) from pg_stat_activity
            where usename = 'portal_web' and application_name <> 'test'
              and datname = ?}, $_);
        push @faults, "$n connections to $_ are more than the pool has"
            if $n > $self->{pools}{$_};
    }

    push @faults, 'advisory locks' if $db->value(
        q{select count(*) from pg_locks where locktype = 'advisory'});
    push @faults, 'temporary tables' if $db->value(q{select count(*)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname like 'pg\_temp%'});
    return @faults;
}


sub _alerts {
    my ($self) = @_;
    my @lines = grep { /\[(?:alert|emerg)\]|exited on signal|Sanitizer
        |runtime\ error:/x } split /^/, $self->error_log
        . $self->read('stderr');

    push @lines, grep { /PANIC|was terminated by signal/ } split /^/,
        $self->read('db/log/postgresql.log');

    for my $pattern (@{ $self->{allow} }) {
        @lines = grep { $_ !~ $pattern } @lines;
    }

    return @lines;
}


sub _leaks {
    my ($self) = @_;
    my $names = join '|', map { $_->{name} } @{ $self->{portals} };
    my $cookie = qr/[ ;](?:__Host-)?portal-(?:$names)(?:-[a-z]+)?=/;
    my @leaks;

    for my $name (qw(error.log access.log stderr db/log/postgresql.log)) {
        next if $name eq 'error.log' && $ENV{PORTAL_TEST_LOG};
        my $text = $self->read($name);

        for (@{ $self->{secrets} }) {
            next if index($text, $_) < 0;
            push @leaks, "$name: a secret of " . length($_) . ' bytes, '
                . substr($_, 0, 8) . '…';
        }

        push @leaks, "$name: a cookie of ours"
            if $name eq 'access.log' && $text =~ $cookie;
    }

    return @leaks;
}


sub done {
    my ($self) = @_;
    my $ran = $self->{master};
    my @faults = $ran ? $self->_db_faults : ();

    if ($ran) {
        Test::More::ok($self->stop, 'nginx ends by itself');
    }

    my @alerts = $self->_alerts;
    my @reports = glob "$self->{dir}/san/*";
    my @leaks = $self->_leaks;

    Test::More::is(join('', @alerts), '', 'no alerts');
    Test::More::is(join('', map { $self->read($_) } @reports), '',
        'no reports of sanitizers');
    Test::More::is(join('; ', @faults), '', 'nothing left in PostgreSQL');
    Test::More::is(join('; ', @leaks), '', 'no secret in a log');
    my %faults = map { $_ => 1 } @{ $self->{faults} };
    Test::More::is(join("\n", sort keys %faults), '',
        'every answer has the headers that it owes');

    $self->show_logs if !Test::More->builder->is_passing;
    $self->end;
    Test::More::done_testing();
    return;
}


sub show_logs {
    my ($self) = @_;

    for my $name (qw(error.log stderr db/log/postgresql.log)) {
        my @lines = grep { !/\[(?:debug|notice)\]|closed keepalive/ }
            split /^/, $self->read($name);
        splice @lines, 0, -15 if @lines > 15;
        @lines = map { length > 300 ? substr($_, 0, 300) . "…\n" : $_ }
            @lines;
        Test::More::diag("--- end of $name\n", @lines) if @lines;
    }

    return;
}


sub end {
    my ($self) = @_;
    return if $self->{ended} || $self->{pid} != $$;
    $self->{ended} = 1;

    $self->stop if $self->{master};

    for (@{ $self->{daemons} }) {
        kill KILL => $_;
        waitpid $_, 0;
    }

    $_->disconnect for values %{ $self->{dbs} };

    system "'$TOP/tools/cluster' stop '$self->{dir}/db' immediate "
        . '>/dev/null 2>&1' if $self->{has_db};

    if ($ENV{PORTAL_TEST_KEEP}) {
        Test::More::diag("kept: $self->{dir}");

    } else {
        remove_tree($self->{dir}, { safe => 0 });
    }

    return;
}


END {
    my $status = $?;

    for (@RUNNING) {
        next if $_->{ended} || $_->{pid} != $$;
        $_->show_logs;
        $_->end;
    }

    $? = $status;
}


1;
