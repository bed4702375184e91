//! A kubeadm that does harm, or tries to. The patch of the version that it is asked
//! for says what. The tests compile it alone.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, exit};
use std::time::Duration;
use std::{env, fs, thread};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments[1..] == ["stay"] {
        return thread::sleep(Duration::from_secs(600));
    }
    assert_eq!(arguments[1..5], ["config", "images", "list", "--kubernetes-version"]);
    let (_, patch) = arguments[5].rsplit_once('.').unwrap();
    match patch {
        // A child keeps its outputs open.
        "1" => {
            Command::new("/kubeadm").arg("stay").spawn().unwrap();
            thread::sleep(Duration::from_secs(600));
        }
        "2" => loop {
            print!("{}", "registry.k8s.io/pause:3.9\n".repeat(1000));
        },
        "3" => println!("not an image\n../../etc/shadow"),
        "4" => {
            eprintln!("W0101 a warning\nno \u{1b}[31mluck");
            exit(1)
        }
        "5" => {
            let port: u16 = env!("PORT").parse().unwrap();
            match TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(2)) {
                Ok(mut stream) => drop(stream.write_all(b"gotcha")),
                Err(error) => eprintln!("{error}"),
            }
            exit(1)
        }
        "6" => {
            for path in ["/x", "/kubeadm", "/tmp/x", "/../../x"] {
                if fs::write(path, "x").is_ok() {
                    eprintln!("wrote {path}");
                    exit(1);
                }
            }
        }
        "7" => {
            let names: Vec<_> = fs::read_dir("/").unwrap().map(|entry| entry.unwrap().file_name()).collect();
            let folder = env::current_dir().unwrap();
            eprintln!("{} variables, {} names, in {}", env::vars().count(), names.len(), folder.display());
            exit(1)
        }
        "8" => {
            let all = vec![1_u8; 3 << 30];
            println!("{}", all.iter().map(|byte| u64::from(*byte)).sum::<u64>());
        }
        _ => {}
    }
}
