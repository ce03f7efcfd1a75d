package Portal::Strace;

# Faults injected into system calls of a worker.
#
#     Portal::Strace::usable() or plan(skip_all => …);
#     my $s = Portal::Strace->attach($pid, 'fsync:error=EIO:when=2');
#                     # in all of its threads, each of which counts for itself
#     Portal::Strace->attach($pid, '…', task => $tid)     in this one only
#     Portal::Strace->attach($pid, undef, trace => 'fsync,…')   nothing fails
#     $s->detach;     # returns the lines of the trace

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(time sleep);


# Can a process here be traced?
sub usable {
    return 0 if !-x '/usr/bin/strace';
    return system('strace -qq -e inject=getppid:retval=1 -o /dev/null '
        . 'true 2>/dev/null') == 0;
}


sub attach {
    my ($class, $pid, $inject, %o) = @_;
    my ($call) = $o{trace} // $inject =~ /^([^:]+)/;
    my $log = "/tmp/portal-strace-$$-" . int(1e6 * time);
    my $tracer = fork // die "fork: $!";

    if ($tracer == 0) {
        open STDERR, '>', '/dev/null';
        open STDOUT, '>', '/dev/null';
        exec 'strace', $o{task} ? () : '-f', '-qq', '-y', '-o', $log,
            '-e', "trace=$call", $inject ? ('-e', "inject=$inject") : (),
            '-p', $o{task} // $pid or POSIX::_exit(127);
    }

    my $self = bless { tracer => $tracer, log => $log, pid => $pid,
        task => $o{task} }, $class;
    my $until = time + 10;

    # a process may be killed by the first call that it makes

    while (!$self->_attached && kill 0, $pid) {
        die 'strace does not attach' if time > $until
            || waitpid($tracer, POSIX::WNOHANG()) == $tracer;
        sleep 0.002;
    }

    return $self;
}


sub _attached {
    my ($self) = @_;
    my $task = $self->{task} // '*';
    my @tasks = glob "/proc/$self->{pid}/task/$task/status" or return 0;

    for (@tasks) {
        open my $fh, '<', $_ or return 0;
        return 0 if !grep { /^TracerPid:\s+[1-9]/ } <$fh>;
    }

    return 1;
}


sub detach {
    my ($self) = @_;
    my $tracer = delete $self->{tracer} or return;

    kill INT => $tracer;
    waitpid $tracer, 0;

    open my $fh, '<', $self->{log} or return;
    my @lines = <$fh>;
    unlink $self->{log};
    return @lines;
}


sub DESTROY { $_[0]->detach }


1;
