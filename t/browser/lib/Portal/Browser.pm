package Portal::Browser;

# Runs a script of t/browser, in node with Chromium, against an nginx and a
# PostgreSQL of its own (Portal::Test) with the data of the demonstration.
#
#     use FindBin;
#     use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
#     use Portal::Browser;
#
#     my $b = Portal::Browser->new(limit => '2m');
#     $b->run('deposit.mjs', forget => sub { … });
#     $b->done;
#
# The script and this module talk in lines of JSON.  The script says what it
# has seen, {"ok":true,"name":…,"detail":…}, which becomes a test here, and
# calls one of the functions given to run(), {"call":"forget","with":[…]}, or
# of those below; its answer goes back as a line.
#
# Functions that every script may call:
#
#     session(person)        token of a new session of that person
#     sql(text, values…)     the first value of the first row
#     expire(person)         ends the person's sessions, as time would
#     pause, go_on           PostgreSQL does not answer; and does again
#
# new(%o): limit => client_max_body_size; run => options of Portal::Test's
# run(); all => 1: every state that is checked is so in light and in dark, and
# a picture of it is left in build/screenshots; facts => { … } more of what
# the script knows.
#
# People are called by the first words of their addresses in
# conf/demo/accounts.tsv; all have the password of the tests.
#
# Environment: PORTAL_CHROMIUM, PORTAL_NODE (other programs than the
# machine's), PORTAL_BROWSER_ONLY=text (only scenarios whose names have it).

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path remove_tree);
use FindBin;
use JSON::PP ();
use POSIX ();
use Portal::Test;
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);

use constant LIMIT => 870;      # seconds a script may take

use constant AGENT => 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 '
    . '(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

my %SET = (site_name => 'Cabinet Martin', phone => '02 61 91 04 12',
    phone_href => 'tel:+33261910412');


sub import {
    strict->import;
    warnings->import;
    Test::More->export_to_level(1);
    return;
}


sub new {
    my ($class, %o) = @_;
    my $t = Portal::Test->new(seed => 0);
    my $self = bless { o => \%o, t => $t, json => JSON::PP->new->utf8
        ->canonical->allow_nonref }, $class;

    $self->_needs;
    $self->_demonstration;

    my $site = "http://127.0.0.1:$t->{port}/";
    my %run = %{ $o{run} // {} };
    my $limit = $o{limit} // '50m';

    $t->write('html/index.html', _site('Le site'));
    $t->write('html/legal.html', _site('Mentions'));
    $site =~ s/^http:/https:/ if $run{tls};
    $t->run(
        set => { %SET, site_url => $site, legal_url => "${site}legal.html",
            privacy_url => "${site}legal.html",
            accessibility_url => "${site}legal.html" },
        portal => "client_max_body_size  $limit;",
        %run);
    return $self;
}


sub test { return $_[0]{t} }


sub _site {
    my ($title) = @_;
    return "<!doctype html><html lang=\"fr\"><meta charset=\"utf-8\">"
        . "<title>$title</title><link rel=\"icon\" href=\"data:,\">"
        . "<h1>$title</h1><a href=\"/espace-client/\">Espace client</a>\n";
}


sub _node     { return $ENV{PORTAL_NODE} // 'node' }
sub _chromium { return $ENV{PORTAL_CHROMIUM} // '/usr/bin/chromium' }
sub _top      { return Portal::Test::top() }


# What tools/deps and the browser section of tools/test install.
sub _needs {
    my ($self) = @_;
    my $node = _node();
    my ($version) = qx{$node --version 2>&1} =~ /^v(\d+)/;

    die "no node of version 18 or newer: make deps-test\n"
        if !$version || $version < 18;
    die _chromium() . " is missing: make deps-test\n" if !-x _chromium();
    die "t/browser/node_modules is missing: npm install in t/browser\n"
        if !-d _top() . '/t/browser/node_modules/playwright-core';
    return;
}


# The files of the demonstration, made once for each state of what makes
# them; its people with the tests' password, whose hash costs the least.
sub _demonstration {
    my ($self) = @_;
    my ($t, $top) = ($self->{t}, _top());
    my $from = _made();

    system('cp', '-r', "$from/files/.", "$t->{dir}/files/") == 0
        or die 'the files could not be copied';
    system("chown -R @{[ join ':', Portal::Test::web_ids() ]} "
        . "'$t->{dir}/files' && chmod -R u=rwX,go= '$t->{dir}/files'") == 0
        or die 'the files could not be given away';

    my $db = $t->db;
    my $hash = join "\t", @{ $db->{verifier} };
    my $people = '';

    for (split /^/, $t->read("$top/conf/demo/accounts.tsv")) {
        next if /^#/;
        $people .= "$hash\t$_";
        my ($email, undef, $role, undef, $name) = split /\t/;
        my ($key) = $email =~ /^([a-z]+)/;
        $self->{people}{$key} = { email => $email, role => $role,
            name => $self->_text($name) };
    }

    $t->write('demo/people.tsv', $people);
    symlink "$from/documents.tsv", "$t->{dir}/demo/documents.tsv";

    my $log = "$t->{dir}/demo/log";
    my $socket = $t->{socket};
    system("cd '$t->{dir}/demo' && psql -X -q -1 -v ON_ERROR_STOP=1 -d "
        . "'host=$socket dbname=portal user=postgres' "
        . "-f '$top/conf/demo/demo.sql' >log 2>&1") == 0
        or die 'demo.sql: ' . $t->read($log);

    for my $person (values %{ $self->{people} }) {
        $person->{id} = $db->value('select id from portal.person
            where email = ?', $person->{email});
    }

    for my $row ($db->rows('select slug, name, id from portal.client')) {
        $self->{clients}{ $row->{slug} } = { id => $row->{id},
            name => $self->_text($row->{name}) };
    }

    return;
}


# One more person, as Portal::Db makes them.
sub person {
    my ($self, $key, %o) = @_;
    my $id = $self->{t}->db->person(%o);
    $self->{people}{$key} = { id => $id, email => $o{email},
        name => $self->_text($o{name}), role => $o{kind} // 'client' };
    return $id;
}


sub _text {
    my ($self, $bytes) = @_;
    utf8::decode($bytes);
    return $bytes;
}


sub _made {
    my $top = _top();
    my @sources = ("$top/conf/demo/make-files",
        sort(split /\n/, qx{find '$top/conf/demo/lib' -type f}));
    my $key = substr sha256_hex(map { Portal::Test::read({}, $_) } @sources),
        0, 16;
    my $dir = "$top/build/browser/demo-$key";
    return $dir if -d $dir;

    make_path("$top/build/browser");
    remove_tree(glob "$top/build/browser/demo-*");
    system("$top/conf/demo/make-files", "$dir.$$") == 0
        or die 'make-files has failed';
    rename "$dir.$$", $dir or -d $dir or die "$dir: $!";
    return $dir;
}


# What the script has to know.
sub _facts {
    my ($self) = @_;
    my $t = $self->{t};
    my $portal = $t->{portals}[0];

    return {
        origin => $portal->{origin},
        mount => $portal->{mount},
        cookie => ($portal->{secure} ? '__Host-' : '')
            . "portal-$portal->{name}",
        password => $t->{password},
        people => $self->{people},
        clients => $self->{clients},
        chromium => _chromium(),
        dir => $t->{dir},
        all => $self->{o}{all} ? JSON::PP::true : JSON::PP::false,
        screenshots => $self->{o}{all} ? _top() . '/build/screenshots' : '',
        %{ $self->{o}{facts} // {} },
        only => $ENV{PORTAL_BROWSER_ONLY} // '',
    };
}


sub run {
    my ($self, $script, %calls) = @_;
    my %all = (%{ $self->_calls }, %calls);
    my $path = _top() . "/t/browser/$script";

    socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!";
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        close $here;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        POSIX::dup2(fileno $there, 3);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', \*STDERR;
        POSIX::setpgid(0, 0);
        exec _node(), $path or POSIX::_exit(127);
    }

    close $there;
    $self->{script} = $pid;
    local $SIG{ALRM} = sub { die "$script takes too long\n" };
    local $SIG{PIPE} = 'IGNORE';
    alarm LIMIT;
    _say($here, $self->{json}->encode($self->_facts));

    my $ended = 0;

    while (my $line = <$here>) {
        my $m = $self->{json}->decode($line);

        if (defined $m->{call}) {
            my $code = $all{ $m->{call} };
            my $result = $code ? eval { [ $code->(@{ $m->{with} }) ] }
                : undef;
            my $error = $code ? "$@" : "no function $m->{call}";
            _say($here, $self->{json}->encode($result
                ? { value => $result->[0] } : { error => $error }));

        } elsif (defined $m->{note}) {
            Test::More::note(_bytes($m->{note}));

        } elsif (defined $m->{diag}) {
            Test::More::diag(_bytes($m->{diag}));

        } elsif ($m->{end}) {
            $ended = 1;
            last;

        } else {
            Test::More::ok($m->{ok}, _bytes($m->{name}))
                or Test::More::diag(_bytes($m->{detail} // ''));
        }
    }

    alarm 0;
    waitpid $pid, 0;
    my $status = $?;
    $self->_end_script;
    Test::More::ok($ended && $status == 0, "$script ran to its end");
    return;
}


# A browser that was left behind goes with its script.
sub _end_script {
    my ($self) = @_;
    my $pid = delete $self->{script} or return;
    kill KILL => -$pid;
    return;
}


sub _say {
    my ($socket, $line) = @_;
    $line .= "\n";

    while (length $line) {
        my $n = syswrite $socket, $line or return;
        substr $line, 0, $n, '';
    }

    return;
}


sub _bytes {
    my ($text) = @_;
    utf8::encode($text);
    return $text;
}


sub _calls {
    my ($self) = @_;
    my $t = $self->{t};

    return {
        session => sub {
            return $t->session_for($self->{people}{ $_[0] }{id},
                agent => AGENT);
        },
        sql => sub {
            my $value = $t->db->value(map { utf8::encode(my $x = $_); $x }
                @_);
            utf8::decode($value) if defined $value;
            return $value;
        },
        expire => sub {
            $t->db->do('delete from portal.session where person_id = ?',
                $self->{people}{ $_[0] }{id});
        },
        pause => sub { $self->_pause },
        go_on => sub { $self->_go_on },
    };
}


sub _pause {
    my ($self) = @_;
    my $t = $self->{t};
    my ($pid) = $t->read('db/pg/postmaster.pid') =~ /^(\d+)/
        or die 'no PostgreSQL';
    $self->{stopped} = [ $pid,
        split ' ', $t->read("/proc/$pid/task/$pid/children") ];
    return kill STOP => @{ $self->{stopped} };
}


sub _go_on {
    my ($self) = @_;
    return kill CONT => @{ delete $self->{stopped} // [] };
}


sub done {
    my ($self) = @_;
    $self->_go_on;
    $self->{t}->done;
    return;
}


sub DESTROY {
    my ($self) = @_;
    $self->_go_on;
    $self->_end_script;
    return;
}


1;
