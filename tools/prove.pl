#!/usr/bin/perl
#
# prove.pl PLAN REPORTS: runs the tests that the file PLAN lists, one a line:
#
#     section TAB jobs TAB command TAB name
#
# (command: words separated by spaces, the last one the file), section by
# section, and ends with one plain line: "123 passed, 0 failed, 2 skipped".
# A file that dies, hangs, or breaks its plan counts as a failure itself.  A
# line whose command is "-" is a failure that was known before; so is each
# file that is in the folder REPORTS in the end.

use strict;
use warnings;

use TAP::Harness;
use TAP::Parser::Aggregator;

use constant LIMIT => 900;      # seconds a file may take

binmode STDOUT, ':encoding(UTF-8)';
$| = 1;

my ($plan, $reports) = @ARGV;
my (@sections, %of, @broken);

open my $fh, '<:encoding(UTF-8)', $plan or die "$plan: $!\n";

while (my $line = <$fh>) {
    chomp $line;
    my ($section, $jobs, $command, $name) = split /\t/, $line;

    if (!$of{$section}) {
        push @sections, $section;
        $of{$section} = { jobs => $jobs, tests => [] };
    }

    if ($command eq '-') {
        push @broken, $name;
    } else {
        push @{ $of{$section}{tests} }, [$command, $name];
    }
}

my $total = TAP::Parser::Aggregator->new;
$total->start;

# a run that is cut short says how far it came
$SIG{TERM} = sub {
    push @broken, 'out of time';
    end_running();
    exit report();
};

run_section($_) for @sections;
exit report();


sub run_section {
    my ($section) = @_;

    my $tests = $of{$section}{tests};
    return unless @$tests;

    print "== $section\n";

    my $harness = TAP::Harness->new({
        jobs => $of{$section}{jobs},
        timer => 1,
        failures => 1,
        exec => sub {
            my ($self, $command) = @_;

            return ['timeout', '-k', '10', LIMIT, split / /, $command];
        },
    });

    $harness->aggregate_tests($total, @$tests);
}


# Each running file is the child of a timeout, which leads a group.
sub end_running {
    for my $path (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $path or next;
        my ($pid, $parent) = (<$in> // '') =~ /^(\d+) \(.*\) \S (\d+)/s
            or next;

        kill TERM => -$pid if $parent == $$;
    }
}


# What a file did not do is a failure too, if it has none of its own.
sub failures {
    my ($parser) = @_;

    return scalar $parser->failed if $parser->failed;

    return $parser->exit || $parser->parse_errors || !$parser->is_good_plan
        ? 1 : 0;
}


# Prints what failed and the closing line; the exit status.
sub report {
    my ($passed, $failed, $skipped) = (0, 0, 0);

    $SIG{TERM} = 'IGNORE';
    $total->stop;

    for my $name ($total->descriptions) {
        my ($parser) = $total->parsers($name);
        my $bad = failures($parser);

        $passed += $parser->passed - $parser->skipped;
        $skipped += $parser->skipped + ($parser->skip_all ? 1 : 0);
        $failed += $bad;

        next unless $bad;

        print "failed: $name",
            ($parser->failed ? ', tests ' . join(' ', $parser->failed) : ''),
            ($parser->exit ? ', exit status ' . $parser->exit : ''),
            (map { ", $_" } $parser->parse_errors), "\n";
    }

    for my $path (glob "$reports/*") {
        push @broken, $path;
        open my $in, '<', $path or next;
        print "$path:\n", grep { $. <= 40 } <$in>;
    }

    $failed += @broken;
    print "failed: $_\n" for @broken;
    printf "%s elapsed\n", $total->elapsed_timestr;
    printf "%d passed, %d failed%s\n", $passed, $failed,
        $skipped ? ", $skipped skipped" : '';

    return $failed || !$passed ? 1 : 0;
}
