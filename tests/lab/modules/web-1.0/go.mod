module kubeferry.example/web

go 1.24.0

tool kubeferry.example/web
