package Portal::Conf;

# nginx.conf of a test from the options of Portal::Test.

use strict;
use warnings;

my @OF_PORTAL = qw(mount secure base name db database conninfo zone key
    session password set pages include templates locales storage modifier
    portal);
my @OF_SERVER = qw(port tls http2 site server);


sub text {
    my ($t, %o) = @_;
    my @servers = @{ $o{servers} // [
        { (map { $_ => $o{$_} } grep { exists $o{$_} } @OF_SERVER),
            portals => [ { map { $_ => $o{$_} }
                grep { exists $o{$_} } @OF_PORTAL } ] } ] };
    my $dir = $t->{dir};
    my $workers = $o{workers} // 2;
    my $level = $ENV{PORTAL_TEST_LOG} // 'info';
    my $user = $> == 0 ? 'user  www-data;' : '';
    my ($named, $blocks) = ('', '');
    my %seen;

    $t->{portals} = [];
    $t->{pools} = {};

    for my $server (@servers) {
        $server->{port} //= $t->{port};
        $blocks .= _server($t, $server);

        for my $p (@{ $server->{portals} }) {
            next if $seen{ $p->{name} }++;
            $named .= _named($t, $p, $workers);
        }
    }

    return <<"EOF";
$user
worker_processes  $workers;
pid        $dir/nginx.pid;
error_log  @{[ $o{error_log} // "$dir/error.log" ]} $level;

load_module  @{[ $t->module ]};
@{[ $o{main} // '' ]}

events {
    worker_connections  @{[ $o{connections} // 1024 ]};
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  test  '\$status \$request_method \$request_uri '
                      '\$body_bytes_sent \$http_user_agent \$http_cookie';
    access_log  $dir/access.log test;

    client_body_temp_path  $dir/tmp/body;
    proxy_temp_path        $dir/tmp/proxy;
    fastcgi_temp_path      $dir/tmp/fastcgi;
    uwsgi_temp_path        $dir/tmp/uwsgi;
    scgi_temp_path         $dir/tmp/scgi;

    root      $dir/html;
    sendfile  on;

$named
@{[ $o{http} // '' ]}
$blocks
}
EOF
}


# Directives of a named portal, once for all of its locations.
sub _named {
    my ($t, $p, $workers) = @_;
    my $name = $p->{name};
    my $db = $p->{db} // 'portal';
    my $conninfo = $p->{conninfo}
        // 'host=' . ($t->{socket} // $t->{dir})
           . " dbname=$db user=portal_web";
    my $key = $p->{key} // "$t->{dir}/portal.key";
    my $parameters = $p->{database} // '';
    my ($pool) = $parameters =~ /\bpool=(\d+)/;

    $t->{pools}{$db} += $workers * ($pool // 4) + 1;

    return <<"EOF";
    portal_zone      $name @{[ $p->{zone} // '4m' ]};
    portal_database  $name "$conninfo" $parameters;
    portal_key_file  $name $key;
EOF
}


sub _server {
    my ($t, $server) = @_;
    my $listen = join ' ', $server->{port}, $server->{tls} ? 'ssl' : (),
        $server->{http2} ? 'http2' : ();
    my $tls = $server->{tls} ? _certificate($t) : '';
    my $locations = join '', map { _location($t, $server, $_) }
        @{ $server->{portals} };

    return <<"EOF";
    server {
        listen       127.0.0.1:$listen;
        server_name  127.0.0.1;
$tls
@{[ $server->{server} // '' ]}
$locations
@{[ $server->{site} // '' ]}
    }
EOF
}


sub _certificate {
    my ($t) = @_;
    my $dir = $t->{dir};

    if (!-f "$dir/tls.crt") {
        system("openssl req -x509 -newkey ec "
            . "-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
            . "-subj /CN=127.0.0.1 -keyout '$dir/tls.key' "
            . "-out '$dir/tls.crt' 2>/dev/null") == 0
            or die 'openssl req failed';
    }

    return <<"EOF";
        ssl_certificate      $dir/tls.crt;
        ssl_certificate_key  $dir/tls.key;
EOF
}


sub _location {
    my ($t, $server, $p) = @_;
    my $dir = $t->{dir};
    my $scheme = $server->{tls} ? 'https' : 'http';

    $p->{name} //= 'main';
    $p->{mount} //= '/espace-client/';
    $p->{secure} //= $server->{tls} ? 1 : 0;
    $p->{base} //= ($p->{secure} && !$server->{tls} ? 'https://127.0.0.1'
        : "$scheme://127.0.0.1:$server->{port}") . $p->{mount};

    my ($origin, $host) = $p->{base} =~ m{^(https?://([^/]+))};
    my $secure = $p->{secure} ? '' : 'portal_session  secure=off;';
    my $session = $p->{session} ? "portal_session  $p->{session};" : '';
    my $templates = join ' ', @{ $p->{templates} // [] }, $dir;
    my $locales = $p->{locales} // 'fr en';
    my $set = $p->{set} // { site_name => 'Cabinet Test' };
    my $sets = join "\n            ", map { "portal_set  $_ \"$set->{$_}\";" }
        sort keys %$set;
    my $include = $p->{include} // 1 ? "include  $dir/pages/*.conf;" : '';

    push @{ $t->{portals} }, { port => $server->{port},
        tls => $server->{tls}, mount => $p->{mount}, name => $p->{name},
        secure => $p->{secure}, origin => $origin, host => $host };

    return <<"EOF";
        location @{[ $p->{modifier} // '^~' ]} $p->{mount} {
            portal            $p->{name} $p->{base};
            portal_storage    @{[ $p->{storage} // "$dir/files" ]};
            portal_templates  $templates;
            portal_locale     $locales;
            portal_password   @{[ $p->{password} // 'memory=19m ops=2' ]};
            $secure
            $session
            $sets
            $include
            @{[ $p->{pages} // '' ]}
            @{[ $p->{portal} // '' ]}
        }
EOF
}


1;
