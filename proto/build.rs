//! Compiles every `.proto` below `souk/` with protox, so a build needs no protoc.
//!
//! The folder is the list: a new file is picked up without an edit here. A new *package* also needs a module in `lib.rs`.

// A build script takes its output folder and features from the environment: cargo has no other way.
#![allow(clippy::disallowed_methods)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use prost::Message as _;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=souk");
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);

    let mut files = Vec::new();
    collect_protos(Path::new("souk"), &mut files)?;
    files.sort(); // the order decides the descriptor set's bytes

    // Source info carries the comments: into rustdoc here, and to callers by reflection (`grpcurl describe`).
    // Imports make the set whole: a reader needs no other files to decode any message in it.
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let descriptors = compiler.file_descriptor_set();
    fs::write(out_dir.join("souk.binpb"), descriptors.encode_to_vec())?;

    // Maps are BTreeMaps, so that one message has one encoding: bodies are hashed, and digests of state are compared.
    // A product is four times as large as anything else a record can tell, and rare: every record would be moved at its size.
    let mut messages = prost_build::Config::new();
    messages.btree_map(["."]);
    messages
        .boxed(".souk.v1.Event.kind.product_step")
        .boxed(".souk.journal.v1.Command.action.upsert_product");
    messages.compile_fds(descriptors.clone())?;
    if env::var_os("CARGO_FEATURE_GRPC").is_some() {
        services(descriptors, &out_dir)?;
    }
    Ok(())
}

/// Clients speak the messages as they are. Servers take batches of events as bytes and send rows that were encoded where they were
/// joined: `src/grpc/` says how.
fn services(descriptors: FileDescriptorSet, out_dir: &Path) -> Result<(), Box<dyn Error>> {
    let client = out_dir.join("client");
    let server = out_dir.join("server");
    fs::create_dir_all(&client)?;
    fs::create_dir_all(&server)?;

    tonic_prost_build::configure()
        .build_server(false)
        .extern_path(".souk", "crate")
        .out_dir(client)
        .compile_fds(descriptors.clone())?;

    let own = [
        (".souk.v1.PublishEventsRequest", "crate::grpc::raw::PublishEventsRequest"),
        (".souk.v1.StreamEventsRequest", "crate::grpc::raw::StreamEventsRequest"),
        (".souk.v1.QueryMetricResponse", "crate::grpc::encoded::Encoded"),
        (".souk.v1.QueryMetricsResponse", "crate::grpc::encoded::Encoded"),
        (".souk.v1.WatchMetricResponse", "crate::grpc::encoded::Encoded"),
        (".souk.v1.WatchUserResponse", "crate::grpc::encoded::Encoded"),
    ];
    let mut builder =
        tonic_prost_build::configure().build_client(false).extern_path(".souk", "crate").out_dir(server);
    for (proto, rust) in own {
        builder = builder.extern_path(proto, rust);
    }
    builder.compile_fds(descriptors)?;
    Ok(())
}

fn collect_protos(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_protos(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
