#!/usr/bin/env bash
# The throwaway secrets of the lab's upstreams: a key for each repository, an
# authority with the registry's certificate, the token server's, a login.
#
# usage: keys.sh OUT ADDRESS REGISTRY    (OUT is a new folder)
set -euo pipefail
out=$1 address=$2 registry=$3
umask 077
mkdir -p "$out"/{certificates,docker,gnupg}
cd "$out"

for repository in os kubernetes docker-ce; do
    gpg --homedir "$out/gnupg" --batch --quiet --pinentry-mode loopback --passphrase '' \
        --quick-generate-key "The lab's $repository <$repository@lab.example>" rsa3072 sign never
    gpg --homedir "$out/gnupg" --armor --export "$repository@lab.example" >"RPM-GPG-KEY-$repository"
done
gpgconf --homedir "$out/gnupg" --kill all

certify() {
    local subject=$1 name=$2
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$subject" \
        -keyout "$name.key" -out "$name.crt" "${@:3}" >request.log 2>&1 || {
        cat request.log >&2
        exit 1
    }
}
certify "The lab's authority" ca
certify "$address" registry -CA ca.crt -CAkey ca.key \
    -addext "subjectAltName=IP:$address" -addext basicConstraints=critical,CA:FALSE
certify "The lab's token server" token
rm request.log
# skopeo takes a folder of certificates.
cp ca.crt certificates/

openssl rand -hex 16 | tr -d '\n' >password
printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$registry" \
    "$(printf 'lab:%s' "$(cat password)" | base64 -w0)" >docker/config.json
