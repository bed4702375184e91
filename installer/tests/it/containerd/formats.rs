//! Configurations in the formats of containerd 2, and in several formats at once.

use super::configs::{Config, MAIN, OVERRULES};

/// Those of format 3, which containerd reads since 2.0.
pub(crate) const NEW: &[Config] = &[
    Config {
        name: "format 3 with the old tables, which 2.3 reads and 2.2 does not",
        files: &[(
            MAIN,
            "version = 3\n[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"site/pause:1\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\nSystemdCgroup \
             = false\n",
        )],
        keeps: &[],
    },
    Config {
        name: "format 3 of nvidia-ctk, main file and drop-in",
        files: &[
            (
                MAIN,
                "version = 3\nimports = [\"conf.d/*.toml\"]\n[plugins.'io.containerd.cri.v1.runtime'\
                 .containerd.runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n[plugins.\
                 'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nSystemdCgroup = \
                 true\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'a/b:1'\n",
            ),
            (
                "etc/containerd/conf.d/99-nvidia.toml",
                "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\n\
                 default_runtime_name = 'nvidia'\n[plugins.'io.containerd.cri.v1.runtime'.containerd\
                 .runtimes.nvidia]\nruntime_type = 'io.containerd.runc.v2'\n[plugins.\
                 'io.containerd.cri.v1.runtime'.containerd.runtimes.nvidia.options]\nBinaryName = \
                 '/usr/bin/nvidia-container-runtime'\n[plugins.'io.containerd.cri.v1.runtime'\
                 .containerd.runtimes.runc.options]\nSystemdCgroup = false\n",
            ),
        ],
        keeps: &["/usr/bin/nvidia-container-runtime"],
    },
    Config {
        name: "format 3 with mirrors in a drop-in, and parts of CRI switched off",
        files: &[
            (
                MAIN,
                "version = 3\nimports = [\"/etc/containerd/conf.d/*.toml\"]\ndisabled_plugins = \
                 [\"io.containerd.cri.v1.images\", \"io.containerd.snapshotter.v1.zfs\"]\n[plugins.\
                 \"io.containerd.cri.v1.images\".registry]\nconfig_path = \"\"\n",
            ),
            (
                "etc/containerd/conf.d/mirrors.toml",
                "[plugins.\"io.containerd.cri.v1.images\".registry.mirrors.\"docker.io\"]\nendpoint \
                 = [\"https://m.site\"]\n[plugins.\"io.containerd.cri.v1.images\".registry.configs.\
                 \"m.site\".tls]\nca_file = \"/etc/ca.crt\"\n",
            ),
        ],
        keeps: &["io.containerd.snapshotter.v1.zfs"],
    },
    Config {
        name: "format 2 with tables of format 3 beside the old ones",
        files: &[(
            MAIN,
            "version = 2\n[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.nvidia]\n\
             runtime_type = \"io.containerd.runc.v2\"\n[plugins.\"io.containerd.cri.v1.images\"\
             .registry.mirrors.\"a.site\"]\nendpoint = [\"https://m.site\"]\n[plugins.\
             \"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"site/pause:1\"\n\
             max_concurrent_downloads = 6\n",
        )],
        keeps: &["max_concurrent_downloads = 6", "nvidia"],
    },
    Config {
        name: "the names of format 3 in a file that does not say its format",
        files: &[(
            MAIN,
            "[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'a/b:1'\n[plugins.\
             'io.containerd.cri.v1.runtime']\nenable_unprivileged_ports = true\n",
        )],
        keeps: &["enable_unprivileged_ports = true"],
    },
];

/// Those with format 4, or with files in several formats, which containerd reads since
/// 2.3: it brings each file to format 4 before it merges them.
pub(crate) const NEWEST: &[Config] = &[
    Config {
        name: "format 4 with servers, mirrors and a runtime of the site",
        files: &[(
            MAIN,
            "version = 4\ndisabled_plugins = [\"io.containerd.cri.v1.runtime\"]\n[plugins.\
             \"io.containerd.server.v1.grpc\"]\naddress = \"/run/containerd/containerd.sock\"\n\
             max_recv_message_size = 33554432\n[plugins.\"io.containerd.server.v1.metrics\"]\n\
             address = \"127.0.0.1:0\"\n[plugins.\"io.containerd.cri.v1.images\".pinned_images]\n\
             sandbox = \"site/pause:1\"\n[plugins.\"io.containerd.cri.v1.images\".registry.mirrors.\
             \"a.site\"]\nendpoint = [\"https://m.site\"]\n[plugins.\"io.containerd.cri.v1.runtime\"\
             .containerd]\ndefault_runtime_name = \"nvidia\"\n[plugins.\"io.containerd.cri.v1.runtime\"\
             .containerd.runtimes.nvidia]\nruntime_type = \"io.containerd.runc.v2\"\n[plugins.\
             \"io.containerd.cri.v1.runtime\".containerd.runtimes.nvidia.options]\nBinaryName = \
             \"/usr/bin/nvidia-container-runtime\"\n",
        )],
        keeps: &["33554432", "127.0.0.1:0", "/usr/bin/nvidia-container-runtime"],
    },
    Config {
        name: "format 4 with a drop-in of format 2, which overrules it",
        files: &[
            (
                MAIN,
                "version = 4\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n[plugins.\
                 \"io.containerd.cri.v1.images\".pinned_images]\nsandbox = \"site/pause:2\"\n",
            ),
            ("etc/containerd/conf.d/99-old.toml", OVERRULES),
        ],
        keeps: &["= 11"],
    },
    Config {
        name: "format 2 with drop-ins of 3 and 4, and without a number",
        files: &[
            (
                MAIN,
                "version = 2\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n[plugins.\
                 \"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"site/pause:1\"\n\
                 max_concurrent_downloads = 5\n[plugins.\"io.containerd.grpc.v1.cri\".registry\
                 .mirrors.\"a.site\"]\nendpoint = [\"https://m.site\"]\n[plugins.\
                 \"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\nruntime_type = \
                 \"io.containerd.runc.v2\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes\
                 .runc.options]\nSystemdCgroup = false\n",
            ),
            (
                "etc/containerd/conf.d/10-images.toml",
                "version = 3\n[plugins.\"io.containerd.cri.v1.images\".pinned_images]\nsandbox = \
                 \"late/pause:1\"\n[plugins.\"io.containerd.cri.v1.images\".registry.mirrors.\
                 \"b.site\"]\nendpoint = [\"https://m.site\"]\n",
            ),
            (
                "etc/containerd/conf.d/20-nvidia.toml",
                "version = 4\n[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.nvidia]\n\
                 runtime_type = \"io.containerd.runc.v2\"\n[plugins.\"io.containerd.cri.v1.runtime\"\
                 .containerd.runtimes.nvidia.options]\nSystemdCgroup = false\nBinaryName = \"/usr/bin/n\"\n",
            ),
            (
                "etc/containerd/conf.d/30-old.toml",
                "[plugins.cri.containerd.runtimes.crun]\nruntime_type = \"io.containerd.runc.v2\"\n\
                 [plugins.cri.containerd.runtimes.crun.options]\nBinaryName = \"/usr/bin/crun\"\n",
            ),
        ],
        keeps: &["= 5", "/usr/bin/n'", "/usr/bin/crun"],
    },
    Config {
        name: "one format, the old tables in the main file and the new ones in a drop-in",
        files: &[
            (
                MAIN,
                "version = 3\nimports = [\"conf.d/*.toml\"]\n[plugins.\"io.containerd.grpc.v1.cri\"]\n\
                 sandbox_image = \"site/pause:1\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd\
                 .runtimes.runc.options]\nSystemdCgroup = true\n",
            ),
            (
                "etc/containerd/conf.d/late.toml",
                "version = 3\n[plugins.\"io.containerd.cri.v1.images\".pinned_images]\nsandbox = \
                 \"late/pause:1\"\n[plugins.\"io.containerd.cri.v1.images\".registry]\nconfig_path = \
                 \"/opt/own\"\n[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.runc\
                 .options]\nSystemdCgroup = false\n",
            ),
        ],
        keeps: &["/opt/own"],
    },
    Config {
        name: "a main file without a format, with a drop-in of format 4",
        files: &[
            (
                MAIN,
                "imports = [\"conf.d/*.toml\"]\n[metrics]\naddress = \"127.0.0.1:0\"\n[plugins.cri]\n\
                 max_concurrent_downloads = 8\n",
            ),
            (
                "etc/containerd/conf.d/late.toml",
                "version = 4\n[plugins.\"io.containerd.cri.v1.images\".pinned_images]\nsandbox = \
                 \"late/pause:1\"\n",
            ),
        ],
        keeps: &["127.0.0.1:0", "= 8"],
    },
];
