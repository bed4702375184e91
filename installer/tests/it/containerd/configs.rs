//! Configurations of containerd as people have them: what documents, packages and
//! programs of others write. Shortened, and with names of our own.

/// One of them.
pub(crate) struct Config {
    /// Whose.
    pub(crate) name: &'static str,
    /// Its files.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// What containerd still has to read of it afterwards, in `config dump`.
    pub(crate) keeps: &'static [&'static str],
}

pub(super) const MAIN: &str = "etc/containerd/config.toml";

/// A drop-in that says otherwise in everything that we set.
pub(super) const OVERRULES: &str = "\
    version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
    [plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"site/pause:1\"\n\
    max_concurrent_downloads = 11\n\
    [plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"\"\n\
    [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n\
    runtime_type = \"io.containerd.runc.v2\"\n\
    [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n\
    SystemdCgroup = false\n";

/// Those of format 1 and 2, which all containerds read.
pub(crate) const OLD: &[Config] = &[
    Config { name: "none", files: &[], keeps: &[] },
    Config { name: "an empty one", files: &[(MAIN, "")], keeps: &[] },
    Config {
        name: "the package of Docker's vendor",
        files: &[(
            MAIN,
            "#   Copyright 2018-2022 Docker Inc.\n\ndisabled_plugins = [\"cri\"]\n\n#root = \
             \"/var/lib/containerd\"\n#[grpc]\n#  address = \"/run/containerd/containerd.sock\"\n",
        )],
        keeps: &[],
    },
    Config {
        name: "format 1 with more switched off",
        files: &[(
            MAIN,
            "disabled_plugins = ['btrfs', 'cri', 'zfs'] # small kernel\nrequired_plugins = []\n\
             oom_score = -999\n",
        )],
        keeps: &["oom_score = -999", "io.containerd.snapshotter.v1.btrfs"],
    },
    Config {
        name: "format 1 of an old cluster's document",
        files: &[(
            MAIN,
            "required_plugins = [\"cri\"]\n[plugins]\n  [plugins.cri]\n    sandbox_image = \
             \"k8s.gcr.io/pause:3.1\"\n    max_concurrent_downloads = 7\n    [plugins.cri.containerd]\n      \
             [plugins.cri.containerd.default_runtime]\n        runtime_type = \
             \"io.containerd.runtime.v1.linux\"\n        runtime_engine = \"/usr/sbin/runc\"\n    \
             [plugins.cri.registry.mirrors.\"docker.io\"]\n      endpoint = \
             [\"https://registry-1.docker.io\"]\n  [plugins.scheduler]\n    pause_threshold = 0.03\n",
        )],
        keeps: &["= 7", "pause_threshold = 0.03"],
    },
    Config {
        name: "systemd_cgroup beside runc's shim, as forums advise",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  systemd_cgroup = true\n",
        )],
        keeps: &[],
    },
    Config {
        name: "the default runtime as a table of its own, with no_pivot",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  no_pivot = true\n  \
             [plugins.\"io.containerd.grpc.v1.cri\".containerd.default_runtime]\n    runtime_type = \
             \"io.containerd.runc.v1\"\n    [plugins.\"io.containerd.grpc.v1.cri\".containerd\
             .default_runtime.options]\n      BinaryName = \"/usr/sbin/runc\"\n",
        )],
        keeps: &[],
    },
    Config {
        name: "nvidia-ctk with the runtime as the default",
        files: &[(
            MAIN,
            "version = 2\n\n[plugins]\n\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n\n    [plugins.\
             \"io.containerd.grpc.v1.cri\".containerd]\n      default_runtime_name = \"nvidia\"\n\n      \
             [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes]\n\n        [plugins.\
             \"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n          \
             privileged_without_host_devices = false\n          runtime_engine = \"\"\n          \
             runtime_root = \"\"\n          runtime_type = \"io.containerd.runc.v2\"\n\n          \
             [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia.options]\n            \
             BinaryName = \"/usr/bin/nvidia-container-runtime\"\n",
        )],
        keeps: &["/usr/bin/nvidia-container-runtime"],
    },
    Config {
        name: "nvidia-ctk's drop-in, which has the last word",
        files: &[
            (MAIN, "version = 2\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n"),
            (
                "etc/containerd/conf.d/99-nvidia.toml",
                "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n\
                 default_runtime_name = \"nvidia\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd\
                 .runtimes.nvidia]\nruntime_type = \"io.containerd.runc.v2\"\n[plugins.\
                 \"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia.options]\nBinaryName = \
                 \"/usr/bin/nvidia-container-runtime\"\nSystemdCgroup = false\n",
            ),
        ],
        keeps: &["/usr/bin/nvidia-container-runtime"],
    },
    Config {
        name: "the document of a registry with a mirror, its authority and a login",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  [plugins.\
             \"io.containerd.grpc.v1.cri\".registry.mirrors]\n    [plugins.\"io.containerd.grpc.v1\
             .cri\".registry.mirrors.\"docker.io\"]\n      endpoint = \
             [\"https://harbor.site:8443/v2/proxy\"]\n  [plugins.\"io.containerd.grpc.v1.cri\"\
             .registry.configs]\n    [plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\
             \"harbor.site:8443\".tls]\n      ca_file = \"/etc/ca.crt\"\n    [plugins.\
             \"io.containerd.grpc.v1.cri\".registry.configs.\"harbor.site:8443\".auth]\n      \
             username = \"robot\"\n      password = \"secret-of-the-site\"\n",
        )],
        keeps: &["secret-of-the-site"],
    },
    Config {
        name: "mirrors of a cloud, in dotted keys and inline tables",
        files: &[(
            MAIN,
            "version = 2\nplugins.'io.containerd.grpc.v1.cri'.registry.mirrors.'docker.io'.endpoint \
             = [\"https://abc.mirror.site\", \"http://10.0.0.9:5000\"]\nplugins.\
             'io.containerd.grpc.v1.cri'.containerd.runtimes.runc = { runtime_type = \
             \"io.containerd.runc.v2\", options = { SystemdCgroup = false, Root = \"/run/own\" } }\n",
        )],
        keeps: &["/run/own"],
    },
    Config {
        name: "a mirror for all, and a registry without TLS",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"*\"]\nendpoint = \
             [\"http://cache.site\"]\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\
             \"r.site:5000\"]\nendpoint = [\"http://r.site:5000\"]\n[plugins.\"io.containerd.grpc.v1\
             .cri\".registry.configs.\"other.site\".tls]\ninsecure_skip_verify = true\n[plugins.\
             \"io.containerd.grpc.v1.cri\".registry.headers]\nX-Site = [\"header-of-the-site\"]\n\
             [plugins.\"io.containerd.grpc.v1.cri\".registry.auths.\"https://other.site\"]\n\
             username = \"robot-of-auths\"\n",
        )],
        keeps: &["header-of-the-site", "robot-of-auths"],
    },
    Config {
        name: "folders of registries that the site chose",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \
             \"/opt/own/certs.d:/etc/docker/certs.d\"\n",
        )],
        keeps: &["/opt/own/certs.d:/etc/docker/certs.d"],
    },
    Config {
        name: "a Kubernetes distribution of its own",
        files: &[(
            MAIN,
            "# File generated. DO NOT EDIT.\nversion = 2\n\n[plugins.\"io.containerd.internal.v1\
             .opt\"]\n  path = \"/var/lib/own/agent/containerd\"\n[plugins.\"io.containerd.grpc.v1\
             .cri\"]\n  stream_server_address = \"127.0.0.1\"\n  stream_server_port = \"0\"\n  \
             enable_selinux = false\n  enable_unprivileged_ports = true\n  \
             device_ownership_from_security_context = true\n  sandbox_image = \
             \"index.docker.io/rancher/mirrored-pause:3.6\"\n\n[plugins.\"io.containerd.grpc.v1.cri\"\
             .containerd]\n  snapshotter = \"overlayfs\"\n  disable_snapshot_annotations = true\n\n\
             [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n  runtime_type = \
             \"io.containerd.runc.v2\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes\
             .runc.options]\n\tSystemdCgroup = false\n[plugins.\"io.containerd.grpc.v1.cri\"\
             .containerd.runtimes.\"nvidia\"]\n  runtime_type = \"io.containerd.runc.v2\"\n[plugins.\
             \"io.containerd.grpc.v1.cri\".containerd.runtimes.\"nvidia\".options]\n  BinaryName = \
             \"/usr/bin/nvidia-container-runtime\"\n[plugins.\"io.containerd.grpc.v1.cri\"\
             .containerd.runtimes.\"kata\"]\n  runtime_type = \"io.containerd.kata.v2\"\n",
        )],
        keeps: &[
            "/var/lib/own/agent",
            "io.containerd.kata.v2",
            "disable_snapshot_annotations = true",
        ],
    },
    Config {
        name: "playbooks that set clusters up",
        files: &[
            (
                MAIN,
                "version = 2\nroot = \"/var/lib/containerd\"\nstate = \"/run/containerd\"\n\
                 oom_score = 0\n\n[grpc]\n  max_recv_message_size = 16777216\n\n[debug]\n  level = \
                 \"info\"\n\n[metrics]\n  address = \"\"\n  grpc_histogram = false\n\n[plugins]\n  \
                 [plugins.\"io.containerd.grpc.v1.cri\"]\n    sandbox_image = \
                 \"registry.k8s.io/pause:3.9\"\n    max_container_log_line_size = 16384\n    \
                 enable_unprivileged_icmp = true\n    [plugins.\"io.containerd.grpc.v1.cri\"\
                 .containerd]\n      default_runtime_name = \"runc\"\n      [plugins.\
                 \"io.containerd.grpc.v1.cri\".containerd.runtimes]\n        [plugins.\
                 \"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n          runtime_type = \
                 \"io.containerd.runc.v2\"\n          runtime_engine = \"\"\n          \
                 base_runtime_spec = \"/etc/containerd/cri-base.json\"\n\n          [plugins.\
                 \"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n            \
                 systemdCgroup = true\n    [plugins.\"io.containerd.grpc.v1.cri\".registry]\n      \
                 config_path = \"/etc/containerd/certs.d\"\n",
            ),
            ("etc/containerd/cri-base.json", "{\"ociVersion\": \"1.0.2\"}"),
        ],
        keeps: &["/etc/containerd/cri-base.json", "= 16384"],
    },
    Config {
        name: "a cloud's image for nodes",
        files: &[(
            MAIN,
            "version = 2\nroot = \"/var/lib/containerd\"\nstate = \"/run/containerd\"\n# Users can \
             use the following import directory to add additional\nimports = \
             [\"/etc/containerd/config.d/*.toml\"]\n\n[grpc]\naddress = \
             \"/run/containerd/containerd.sock\"\n\n[plugins.\"io.containerd.grpc.v1.cri\"\
             .containerd]\ndefault_runtime_name = \"runc\"\ndiscard_unpacked_layers = true\n\n\
             [plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"localhost/kubernetes/pause\"\n\
             \n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \
             \"/etc/containerd/certs.d:/etc/docker/certs.d\"\n\n[plugins.\"io.containerd.grpc.v1\
             .cri\".containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n\n[plugins.\
             \"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\nSystemdCgroup = true\n\n\
             [plugins.\"io.containerd.grpc.v1.cri\".cni]\nbin_dir = \"/opt/cni/bin\"\nconf_dir = \
             \"/etc/cni/net.d\"\n",
        )],
        // Nothing is in docker's folder there, and containerd 2.3 would take both for one.
        keeps: &["discard_unpacked_layers = true", "/etc/containerd/certs.d"],
    },
    Config {
        name: "another cloud's, with required plugins and a header",
        files: &[(
            MAIN,
            "version = 2\nrequired_plugins = [\"io.containerd.grpc.v1.cri\"]\noom_score = -999\n\
             [metrics]\n  address = \"127.0.0.1:0\"\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  \
             stream_server_address = \"127.0.0.1\"\n  max_container_log_line_size = 262144\n[plugins.\
             \"io.containerd.grpc.v1.cri\".registry.headers]\n  X-Meta-Source-Client = \
             [\"cloud/aks\"]\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"docker.io\"]\n  \
             endpoint = [\"https://mirror.gcr.io\",\"https://registry-1.docker.io\"]\n",
        )],
        keeps: &["cloud/aks", "oom_score = -999", "= 262144"],
    },
    Config {
        name: "one that came from cri-o, with crun",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\ndefault_runtime_name = \
             \"crun\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.crun]\nruntime_type \
             = \"io.containerd.runc.v2\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes\
             .crun.options]\nBinaryName = \"/usr/bin/crun\"\n",
        )],
        keeps: &["/usr/bin/crun"],
    },
    Config {
        name: "the switch in another case, off",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n\
             runtime_type = \"io.containerd.runc.v2\"\n[plugins.\"io.containerd.grpc.v1.cri\"\
             .containerd.runtimes.runc.options]\nsystemdCgroup = false\n",
        )],
        keeps: &[],
    },
    Config {
        name: "a sandbox in place of the default runtime",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\ndefault_runtime_name = \
             \"runsc\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runsc]\n\
             runtime_type = \"io.containerd.runsc.v1\"\n[plugins.\"io.containerd.grpc.v1.cri\"\
             .containerd.runtimes.runsc.options]\nTypeUrl = \"io.containerd.runsc.v1.options\"\n",
        )],
        keeps: &["io.containerd.runsc.v1.options"],
    },
    Config {
        name: "another snapshotter's plugin, and NRI",
        files: &[(
            MAIN,
            "version = 2\r\n[proxy_plugins]\r\n  [proxy_plugins.stargz]\r\n    type = \
             \"snapshot\"\r\n    address = \"/run/stargz.sock\"\r\n[plugins.\"io.containerd.nri.v1\
             .nri\"]\r\n  disable = false # ours\r\n",
        )],
        keeps: &["/run/stargz.sock"],
    },
    Config {
        name: "drop-ins of several levels, of which one switches CRI off",
        files: &[
            (
                MAIN,
                "version = 2\nimports = [\"/etc/containerd/10-site.toml\"]\n[plugins.\
                    \"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"site/pause:1\"\n",
            ),
            (
                "etc/containerd/10-site.toml",
                "imports = [\"more.toml\", \"/etc/containerd/config.toml\"]\ndisabled_plugins = \
                 [\"io.containerd.grpc.v1.cri\"]\n[plugins.\"io.containerd.gc.v1.scheduler\"]\n\
                 pause_threshold = 0.05\n",
            ),
            (
                "etc/containerd/more.toml",
                "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \
                 \"site/pause:2\"\nmax_concurrent_downloads = 5\n[plugins.\"io.containerd.grpc.v1\
                 .cri\".registry.mirrors.\"q.site\"]\nendpoint = [\"https://m.site\"]\n",
            ),
        ],
        keeps: &["= 0.05", "= 5"],
    },
    Config {
        name: "no format, and only settings of containerd's own servers",
        files: &[(
            MAIN,
            "disabled_plugins = [\"cri\"]\n[grpc]\n  max_recv_message_size = 33554432\n[metrics]\n  \
             address = \"127.0.0.1:0\"\n  grpc_histogram = true\n",
        )],
        keeps: &["33554432", "127.0.0.1:0", "grpc_histogram = true"],
    },
    Config {
        name: "format 1 by its number, with a drop-in of it",
        files: &[
            (
                MAIN,
                "version = 1\nimports = [\"/etc/containerd/old.toml\"]\n[plugins.cri]\n  \
                 sandbox_image = \"site/pause:1\"\n  max_concurrent_downloads = 7\n[plugins.opt]\n  \
                 path = \"/opt/own\"\n",
            ),
            (
                "etc/containerd/old.toml",
                "disabled_plugins = [\"cri\", \"aufs\"]\n[plugins.scheduler]\n  pause_threshold = \
                 0.07\n",
            ),
        ],
        keeps: &["= 7", "= 0.07", "/opt/own"],
    },
    Config {
        name: "a pattern from where containerd starts, which is another place since 1.7",
        files: &[
            (MAIN, "version = 2\nimports = [\"etc/containerd/more/*.toml\"]\n"),
            ("etc/containerd/more/a.toml", OVERRULES),
            ("etc/containerd/etc/containerd/more/a.toml", OVERRULES),
        ],
        keeps: &["= 11"],
    },
    Config {
        name: "drop-ins that overrule all that we set, the last one by its name",
        files: &[
            (MAIN, "version = 2\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n"),
            ("etc/containerd/conf.d/10-site.toml", OVERRULES),
            (
                "etc/containerd/conf.d/9-late.toml",
                "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[plugins.\
                 \"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"late/pause:1\"\nmax_concurrent_downloads \
                 = 12\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n\
                 runtime_type = \"io.containerd.runc.v2\"\n[plugins.\"io.containerd.grpc.v1.cri\"\
                 .containerd.runtimes.runc.options]\nSystemdCgroup = false\n",
            ),
        ],
        keeps: &["= 12"],
    },
    Config {
        name: "a folder of drop-ins that the main file does not import",
        files: &[
            (MAIN, "version = 2\n"),
            ("etc/containerd/conf.d/unread.toml", OVERRULES),
            // A hidden file is read, if the pattern matches.
            ("etc/containerd/conf.d/.hidden.toml", OVERRULES),
        ],
        keeps: &[],
    },
    Config {
        name: "the same file imported twice, by two spellings",
        files: &[
            (
                MAIN,
                "version = 2\nimports = [\"/etc/containerd/conf.d/./a.toml\", \
                 \"../containerd/conf.d/a.toml\", \"/etc/containerd/conf.d/.*.toml\"]\n",
            ),
            ("etc/containerd/conf.d/a.toml", OVERRULES),
            ("etc/containerd/conf.d/.hidden.toml", "disabled_plugins = [\"cri\"]\n"),
        ],
        keeps: &["= 11"],
    },
    Config {
        name: "line ends of Windows, also in a list with comments",
        files: &[(
            MAIN,
            "version = 2\r\nrequired_plugins = [ # one\r\n  \"io.containerd.grpc.v1.cri\" # two\r\n\
             ]\r\noom_score = -999\r\n",
        )],
        keeps: &["oom_score = -999"],
    },
];
