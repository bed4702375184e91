# shellcheck shell=bash disable=SC2154
# What the recipes of yum repositories share; sourced, not run. Needs `work`, a
# folder to work in; PARTS and KEYS as the recipes have them.

# Programs are Debian's or stripped already: they are packed as they are.
build() {
    local into=$1 spec=$2
    rpmbuild -bb --quiet --target x86_64 --define "_topdir $work" --define "_rpmdir $into" \
        --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
        --define '_binary_payload w3.gzdio' --define '_build_id_links none' \
        --define '__os_install_post %{nil}' --define 'debug_package %{nil}' \
        --define '_unitdir /usr/lib/systemd/system' --define 'source_date_epoch_from_changelog 0' \
        --define "parts ${PARTS:?}" "${@:3}" "$spec" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}

sign() {
    local key=$1
    shift
    rpmsign --define "_gpg_name $key@lab.example" --define "_gpg_path ${KEYS:?}/gnupg" \
        --define '__gpg /usr/bin/gpg' --addsign "$@" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}

publish() {
    local repository=$1 key=$2
    shift 2
    createrepo_c --quiet "$@" "$repository"
    gpg --homedir "${KEYS:?}/gnupg" --batch --quiet --local-user "$key@lab.example" --armor \
        --detach-sign "$repository/repodata/repomd.xml"
    cp "${KEYS:?}/RPM-GPG-KEY-$key" "$repository/"
    gpgconf --homedir "${KEYS:?}/gnupg" --kill all
}
