#!/usr/bin/perl
# A receiver of Switchyard's webhooks as a CGI program: Perl 5.14 or later, core modules alone.
#
# WEBHOOK_SECRETS holds the secret; while it is being exchanged both, with a space between.
# WEBHOOK_TOLERANCE is by how many seconds a message may be older or newer than now: 300.
# WEBHOOK_FOLDER is where messages are kept, each once.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use Fcntl qw(O_CREAT O_EXCL O_WRONLY);
use MIME::Base64 qw(decode_base64);

my @secrets   = split ' ', $ENV{WEBHOOK_SECRETS} // '';
my $tolerance = $ENV{WEBHOOK_TOLERANCE} // 300;
my $folder    = $ENV{WEBHOOK_FOLDER}    // '.';

# Equal, in a time that does not tell how far.
sub same {
    my ($left, $right) = @_;
    return 0 if length $left != length $right;
    my $difference = 0;
    $difference |= ord(substr $left, $_, 1) ^ ord(substr $right, $_, 1) for 0 .. length($left) - 1;
    return $difference == 0;
}

# Whether one of our secrets signed these bytes, and not long ago.
sub verified {
    my ($id, $timestamp, $signatures, $body) = @_;
    return 0 if $id eq '' || $timestamp !~ /\A[0-9]+\z/;
    return 0 if abs(time - $timestamp) > $tolerance;
    for my $secret (@secrets) {
        (my $encoded = $secret) =~ s/\Awhsec_//;
        my $wanted = hmac_sha256("$id.$timestamp.$body", decode_base64($encoded));
        for my $given (split ' ', $signatures) {
            my ($version, $signature) = split /,/, $given, 2;
            return 1 if $version eq 'v1' && same(decode_base64($signature // ''), $wanted);
        }
    }
    return 0;
}

# Keep it, and do the work afterwards: what is there under its id was seen.
sub keep {
    my ($id, $body) = @_;
    (my $name = $id) =~ s/[^A-Za-z0-9_-]/_/g;
    sysopen my $file, "$folder/$name.json", O_WRONLY | O_CREAT | O_EXCL or return;
    binmode $file;
    print {$file} $body;
    close $file or die "cannot keep $name: $!";
    return;
}

binmode STDIN;
my $body = '';
read STDIN, $body, $ENV{CONTENT_LENGTH} // 0;

my ($id, $timestamp, $signatures) =
    map { $ENV{"HTTP_WEBHOOK_$_"} // '' } qw(ID TIMESTAMP SIGNATURE);
if (verified($id, $timestamp, $signatures, $body)) {
    keep($id, $body);
    print "Status: 204 No Content\r\n\r\n";
} else {
    print "Status: 401 Unauthorized\r\n\r\n";
}
